// The runtimes of one user, live. Whatever a runtime says of itself is text, never HTML.
'use strict';

const KEY = 'registry-token';
const RETRY_MS = 2000;
const TYPED = document.getElementById('token');
const byId = (id) => document.getElementById(id);

const runtimes = new Map(); // id -> record
let ide = '';
let session = null; // AbortController of the present stream

function say(text) {
  byId('state').textContent = text;
}

function tokenFromFragment() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(KEY, given);
    // The token stays neither in the address bar nor in the history.
    history.replaceState(null, '', location.pathname);
  }
}

async function ask(path, token, signal) {
  return fetch(path, { headers: { authorization: `Bearer ${token}` }, cache: 'no-store', signal });
}

function liveUrl(record) {
  const endpoint = `protocol=${record.protocol}&address=${record.address}&type=${record.type}&id=${record.id}`
    + (record.secret ? `&secret=${record.secret}` : '');
  return `${ide}#runtime/endpoint?${encodeURIComponent(endpoint)}`;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  if (className) made.className = className;
  return made;
}

function item(record) {
  const li = element('li', '', record.online ? 'online' : '');
  li.dataset.id = record.id;
  const title = element('h2', record.label || record.id);
  title.append(element('span', record.online ? '● online' : '○ offline', 'presence'));
  li.append(title);
  if (record.description) li.append(element('p', record.description));
  const open = element('a', 'Open live');
  open.href = liveUrl(record);
  open.target = '_blank';
  open.rel = 'noopener noreferrer';
  open.setAttribute('aria-label', `Open ${record.label || record.id} live`);
  const line = element('p', '');
  line.append(open, ' ', element('code', record.address));
  const seen = new Date(record.seen).toLocaleString();
  li.append(line, element('p', `${record.type}, seen ${seen}, ${record.id}`, 'facts'));
  return li;
}

// One item is replaced at its place, so that the keyboard's focus stays where it is.
function show(record) {
  const old = document.querySelector(`li[data-id="${CSS.escape(record.id)}"]`);
  const focused = old?.contains(document.activeElement);
  const made = item(record);
  if (old) old.replaceWith(made);
  else byId('runtimes').append(made);
  if (focused) made.querySelector('a').focus();
}

function count() {
  const online = [...runtimes.values()].filter((record) => record.online).length;
  byId('none').hidden = runtimes.size > 0;
  say(`Live: ${runtimes.size} registered, ${online} online.`);
}

function showAll(list) {
  runtimes.clear();
  byId('runtimes').replaceChildren();
  for (const record of list) {
    runtimes.set(record.id, record);
    show(record);
  }
  count();
}

function happened(kind, data) {
  const record = JSON.parse(data);
  if (kind === 'delete') {
    runtimes.delete(record.id);
    document.querySelector(`li[data-id="${CSS.escape(record.id)}"]`)?.remove();
  } else {
    runtimes.set(record.id, record);
    show(record);
  }
  count();
}

// Server-sent events by fetch: EventSource cannot send the token in a header.
async function follow(body, first) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let greeted = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split('\n\n');
    text = messages.pop();
    for (const message of messages) {
      if (!greeted) {
        greeted = true;
        await first();
      }
      const kind = /^event: ?(.*)$/m.exec(message)?.[1];
      const data = [...message.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join('\n');
      if (kind && data) happened(kind, data);
    }
  }
}

async function once(token, signal) {
  const stream = await ask('runtimes/events', token, signal);
  if (stream.status === 401) return false;
  if (!stream.ok) throw new Error((await stream.json()).message);
  await follow(stream.body, async () => {
    const list = await ask('runtimes', token, signal);
    if (!list.ok) throw new Error((await list.json()).message);
    showAll(await list.json());
  });
  return true;
}

async function start() {
  const token = sessionStorage.getItem(KEY);
  byId('enter').hidden = Boolean(token);
  byId('leave').hidden = !token;
  if (!token) {
    say('Not signed in.');
    TYPED.focus();
    return;
  }
  session = new AbortController();
  const { signal } = session;
  ide = (await (await fetch('registry/settings.json')).json()).ide;
  while (!signal.aborted) {
    try {
      if (!(await once(token, signal))) {
        leave('The token is not valid: it was typed wrong, or replaced.');
        return;
      }
      say('Connecting again…');
    } catch (error) {
      if (signal.aborted) return;
      say(`Not connected (${error.message}); trying again…`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function leave(why) {
  session?.abort();
  sessionStorage.removeItem(KEY);
  runtimes.clear();
  byId('runtimes').replaceChildren();
  byId('none').hidden = true;
  byId('leave').hidden = true;
  byId('enter').hidden = false;
  say(why);
  TYPED.focus();
}

byId('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, TYPED.value.trim());
  TYPED.value = '';
  start();
});
byId('leave').addEventListener('click', () => leave('Signed out.'));
window.addEventListener('hashchange', () => {
  if (location.hash.includes('token=')) {
    session?.abort();
    tokenFromFragment();
    start();
  }
});
tokenFromFragment();
start();
