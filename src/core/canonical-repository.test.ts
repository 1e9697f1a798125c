import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { isSameRepository, withoutCredentials } from "./canonical-repository.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const host = fc.stringMatching(/^[a-z]{1,8}\.(?:example|test)$/);
const place = fc.record({ host, owner: word, name: word });
type Place = { readonly host: string; readonly owner: string; readonly name: string };

/** Every way in which people and tools write one repository. */
const forms = ({ host: at, owner, name }: Place): readonly string[] => [
  `https://${at}/${owner}/${name}`,
  `https://${at}/${owner}/${name}.git`,
  `https://${at}/${owner}/${name}.git/`,
  `http://${at}:80/${owner}//${name}`,
  `HTTPS://${at.toUpperCase()}:443/${owner}/${name}`,
  `https://ann:s3cret@${at}/${owner}/${name}.git`,
  `https://x-access-token:a@b@${at}./${owner}/${name}`,
  `git+https://${at}/${owner}/${name}.git`,
  `git@${at}:${owner}/${name}.git`,
  `git@${at.toUpperCase()}:/${owner}/${name}`,
  `${at}:${owner}/${name}.git`,
  `[${at}]:${owner}/${name}`,
  `ssh://git@${at}/${owner}/${name}.git`,
  `ssh://${at}:22/${owner}/${name}`,
  `ssh://git@${at}/~/${owner}/${name}`,
  `git+ssh://git@${at}/${owner}/${name}.git`,
  `git://${at}/${owner}/${name}`,
  `https://${at}/${owner}/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
  `${at}/${owner}/${name}`,
  `${owner}/${name}`,
  `${owner.toUpperCase()}/${name}.git`,
];

describe("two addresses of repositories", () => {
  it("name one repository in every form in which it is written, and no other", () => {
    fc.assert(
      fc.property(place, place, fc.nat(), fc.nat(), (one, other, first, second) => {
        const [a, b] = [forms(one), forms(other)];
        const [left, right] = [a[first % a.length] ?? "", a[second % a.length] ?? ""];
        expect([left, right, isSameRepository(left, right)]).toEqual([left, right, true]);
        // The last two forms name no host.
        const [hosted, foreign] = [a[first % (a.length - 2)] ?? "", b[second % (b.length - 2)] ?? ""];
        const isOne = one.host === other.host && one.owner === other.owner && one.name === other.name;
        expect([hosted, foreign, isSameRepository(hosted, foreign)]).toEqual([hosted, foreign, isOne]);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it.each([
    ["https://github.com/Acme/Shop", "git@github.com:acme/shop.git", true],
    ["ssh://git@ssh.github.com:443/acme/shop.git", "https://github.com/acme/shop", true],
    ["github:acme/shop", "https://www.github.com/acme/shop.git", true],
    ["https://git.example/Acme/Shop", "https://git.example/acme/shop", false],
    ["https://git.example:8443/acme/shop", "https://git.example/acme/shop", false],
    ["ssh://git.example:2222/acme/shop", "ssh://git.example/acme/shop", false],
    ["[git@git.example:2222]:acme/shop", "ssh://git.example:22/acme/shop", false],
    ["ssh://git@git.example:2222/acme/shop", "https://git.example/acme/shop", true],
    ["https://git.example/acme/shop/tree/main", "https://git.example/acme/shop", false],
    ["acme/shop", "https://git.example/mirrors/acme/shop", false],
    ["acme/shop", "https://git.example/acme/shop-2", false],
    ["acme/shop", "/srv/git/acme/shop.git", false],
    ["/srv/git/shop.git", "file:///srv/git/shop", true],
    ["/srv/git/Shop", "/srv/git/shop", false],
    ["https://git.example/acme/../evil/shop", "https://git.example/evil/shop", false],
    ["https://git.example/acme/%2e%2e/shop", "https://git.example/shop", false],
    ["https://github.com@evil.example/acme/shop", "https://github.com/acme/shop", false],
    ["https://evil.example/github.com/acme/shop", "https://github.com/acme/shop", false],
    ["ext::sh -c evil acme/shop", "acme/shop", false],
    ["https://bücher.example/acme/shop", "https://xn--bcher-kva.example/acme/shop", true],
    ["", "acme/shop", false],
    ["https://", "https://", true],
  ])("%j and %j: %j", (a, b, same) => {
    expect([isSameRepository(a, b), isSameRepository(b, a)]).toEqual([same, same]);
  });

  it("are told to people without credentials", () => {
    expect(withoutCredentials("https://ann:s3cret@git.example/acme/shop?token=s3cret")).toBe("https://git.example/acme/shop");
    expect(withoutCredentials("https://a@b:c@git.example/acme/shop")).toBe("https://git.example/acme/shop");
    expect(withoutCredentials("git@git.example:acme/shop.git")).toBe("git@git.example:acme/shop.git");
  });
});
