const issue =
  /^(?:https?:\/\/)?(?:(?:www\.|api\.)?github\.com\/(?:repos\/)?)?([\w.-]+\/[\w.-]+)(?:#|\/issues\/|\/pull\/|\/pulls\/)(\d+)\/?(?:[#?].*)?$/i;

/**
 * The form of an external reference in which equal ones are equal. GitHub does not tell apart upper and lower case in owners and repositories, and an
 * issue has a short form and an address: `Acme/Shop#7` and `https://github.com/acme/shop/issues/7` are one. Any other reference is its own form.
 */
export function canonicalReference(reference: string): string {
  const [, repository = "", number = ""] = issue.exec(reference) ?? [];
  return repository === "" ? reference : `${repository.toLowerCase()}#${number}`;
}
