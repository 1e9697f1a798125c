/** `error.type` of the provider's error body. */
export type ApiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "billing_error"
  | "rate_limit_error"
  | "api_error"
  | "timeout_error"
  | "overloaded_error";

const statuses: Readonly<Record<ApiErrorType, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** `details.error_code`: two of them mean that the money is gone although the status is 429. */
export type ApiErrorCode =
  | "enforced_spend_limit_reached"
  | "contract_spend_limit_reached"
  | "ramp_limit_exceeded"
  | "linked_organization_spend_limit_reached";

/** An error answer before it is sent. */
export interface ApiError {
  readonly type: ApiErrorType;
  readonly message: string;
  readonly code?: ApiErrorCode;
  readonly retryAfterSeconds?: number;
}

/** HTTP status of an error type. */
export function statusOf(type: ApiErrorType): number {
  return statuses[type];
}

/** The JSON body of an error answer. */
export function errorBody(error: ApiError, requestId: string) {
  return {
    type: "error",
    error: { type: error.type, message: error.message, details: error.code === undefined ? null : { error_code: error.code } },
    request_id: requestId,
  };
}
