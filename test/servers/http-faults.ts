import type { IncomingMessage, ServerResponse } from "node:http";

/** What stands between a client and a server, as proxies do. */
export interface HttpFaults {
  /** `html`: a page with status 200; `moved`: a redirect to where everything is answered; `huge`: a body without an end; `busy`: 429. */
  fault: "html" | "moved" | "huge" | "empty" | "busy" | undefined;
}

/** Answers in the server's place while a fault is set. True: it has answered. */
export function answerFault({ fault }: HttpFaults, request: IncomingMessage, response: ServerResponse): boolean {
  switch (fault) {
    case undefined:
      return false;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in</html>");
      return true;
    case "empty":
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
      return true;
    case "busy":
      response.writeHead(429, { "retry-after": "3" }).end();
      return true;
    case "moved":
      // Who follows it gets a real answer, with the credentials that went along.
      if (request.url?.startsWith("/elsewhere/") === true) {
        request.url = request.url.slice("/elsewhere".length);
        return false;
      }
      response.writeHead(307, { location: `/elsewhere${request.url ?? ""}` }).end();
      return true;
    case "huge": {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = " ".repeat(65_536);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
      return true;
    }
  }
}
