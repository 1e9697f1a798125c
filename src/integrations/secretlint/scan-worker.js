// Plain JavaScript, because a worker thread is loaded by Node itself: the same file serves the sources and the build.
import { parentPort } from "node:worker_threads";
import { lintSource } from "@secretlint/core";
import { creator as rule } from "@secretlint/secretlint-rule-preset-recommend";

const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule, options: {} }] };

/** Some rules need time that grows with the square of the text: it is looked at in pieces, which overlap by more than the longest secret. */
const pieceLength = 32_768;
const overlap = 8192;

async function scanPiece(content) {
  const source = { filePath: "text", content, contentType: "text" };
  const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
  return messages.map(({ messageId, range: [start, end] }) => ({ type: messageId, start, end }));
}

async function scan(text) {
  const secrets = new Map();
  for (let at = 0; at === 0 || at + overlap < text.length; at += pieceLength - overlap) {
    for (const { type, start, end } of await scanPiece(text.slice(at, at + pieceLength))) {
      secrets.set(`${type} ${at + start} ${at + end}`, { type, start: at + start, end: at + end });
    }
  }
  return [...secrets.values()];
}

async function answer({ id, text }) {
  try {
    parentPort.postMessage({ id, secrets: await scan(text) }, []);
  } catch {
    // What a rule throws may quote the text.
    parentPort.postMessage({ id }, []);
  }
}

parentPort.on("message", (message) => void answer(message));
