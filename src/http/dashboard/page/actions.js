// What can be done with a board.

import { change } from "./access.js";
import { announce, el, say } from "./dom.js";

/** How long a button tells that it has worked, in milliseconds. */
const DONE_MS = 2000;

/** The buttons that fit a board's state. `complain` takes an error, or null. */
export function buttons(board, complain) {
  const { id, label, usb } = board;
  const chip = usb && `${usb.vid}:${usb.pid}`;
  const admit = (words, action, body, main) => button(words, label, () => change(`api/boards/${id}/${action}`, body), complain, main);
  const copy = button("Copy address", label, () => copyText(board.url), complain, false, "Copied");
  switch (board.state) {
    case "not-allowed":
      return [
        admit("Allow this board", "allow", { chip: false }, true),
        ...(chip ? [admit(`Allow every ${chip}`, "allow", { chip: true }, false)] : []),
        admit("Ignore it", "ignore", { chip: false }, false),
      ];
    case "ignored":
      return [admit("Allow it after all", "allow", { chip: false }, false)];
    case "not-microflo":
    case "unresponsive":
      return [admit("Try again", "allow", { chip: false }, false), ...openAndCopy(board, copy)];
    default:
      return openAndCopy(board, copy);
  }
}

function openAndCopy(board, copy) {
  if (board.state !== "ready" || !/^https?:/.test(board.liveUrl ?? "")) return [copy];
  const attributes = { class: "button main", href: board.liveUrl, target: "_blank", rel: "noopener noreferrer" };
  return [el("a", attributes, "Open in Flowhub", unseen(` – ${board.label}, in a new tab`)), copy];
}

function button(words, label, work, complain, main, done) {
  const text = el("span", {}, words);
  const press = async () => {
    element.disabled = true;
    try {
      await work();
      complain(null);
      if (done) flash(text, done, words);
    } catch (error) {
      complain(error);
    }
    element.disabled = false;
    if (document.activeElement === document.body) element.focus();
  };
  const element = el("button", { class: main ? "button main" : "button", type: "button", click: press }, text);
  element.append(unseen(` – ${label}`));
  return element;
}

function unseen(text) {
  return el("span", { class: "unseen" }, text);
}

function flash(element, done, words) {
  say(element, done);
  announce(done);
  setTimeout(() => say(element, words), DONE_MS);
}

/** The clipboard is for secure pages only; the old way works on every page. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = el("textarea", { readonly: true, class: "unseen" });
  box.value = text;
  document.body.append(box);
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  if (!copied) throw new Error("The browser did not copy it; select the address and copy it by hand.");
}
