// A board's name, edited in place.

import { change } from "./access.js";
import { announce, el, freshId, say } from "./dom.js";

const MAX_LABEL_CHARS = 64;

export class Label {
  constructor(board, editable) {
    this.board = board;
    this.text = el("span", {}, board.label);
    const shown = editable
      ? el("button", { class: "label", type: "button", title: "Rename", click: () => this.edit() }, this.text)
      : this.text;
    if (editable) shown.append(el("span", { class: "unseen" }, ", rename"));
    this.button = shown;
    this.element = el("h2", {}, shown);
  }

  update(board) {
    this.board = board;
    say(this.text, board.label);
  }

  /** Puts a form in place of the name. */
  edit() {
    const problem = freshId("problem");
    const words = el("span", { id: problem, class: "trouble", role: "alert" });
    const input = el("input", {
      "aria-label": `New name of ${this.board.label}`,
      "aria-describedby": problem,
      maxlength: MAX_LABEL_CHARS,
      autocomplete: "off",
      spellcheck: "false",
      required: true,
    });
    input.value = this.board.label;
    const save = el("button", { class: "button main small", type: "submit" }, "Save");
    const cancel = el("button", { class: "button small", type: "button", click: () => this.close(form) }, "Cancel");
    const form = el("form", { class: "rename" }, input, save, cancel, words);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(form, input, save, words);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close(form);
    });
    this.element.replaceWith(form);
    input.focus();
    input.select();
  }

  async save(form, input, button, words) {
    const label = input.value.trim();
    if (label === "" || label === this.board.label) return this.close(form);
    button.disabled = true;
    try {
      await change(`api/boards/${this.board.id}/label`, { label });
      say(this.text, label);
      this.close(form);
      announce(`The board is now called ${label}`);
    } catch (error) {
      say(words, error.message);
      button.disabled = false;
      input.focus();
    }
  }

  close(form) {
    form.replaceWith(this.element);
    this.button.focus();
  }
}
