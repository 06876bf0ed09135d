// What a Flowhub UI does with the registry and with a board, by the libraries that it uses for that.

const registry = require("flowhub-registry");
const fbpClient = require("fbp-client");

const host = location.origin;
const tell = (id, text) => (document.getElementById(id).textContent = text);

async function login(token) {
  const answer = await fetch(`${host}/user`, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) return tell("user", `refused: ${answer.status}`);
  tell("user", (await answer.json()).name);
  registry.list(token, { host }, (error, runtimes) => {
    if (error) return tell("user", error.message);
    document.getElementById("runtimes").replaceChildren(...runtimes.map(({ runtime }) => {
      const open = document.createElement("button");
      open.textContent = runtime.label;
      open.onclick = () => start(runtime).catch((error) => tell("status", error.message));
      const item = document.createElement("li");
      item.append(open);
      return item;
    }));
  });
}

async function start({ address, protocol, secret }) {
  const client = await fbpClient({ address, protocol, secret });
  const { graph } = await client.connect();
  await client.protocol.network.stop({ graph });
  const { started, running } = await client.protocol.network.start({ graph });
  tell("status", `${graph}: started ${started}, running ${running}`);
}

document.getElementById("login").onsubmit = (event) => {
  event.preventDefault();
  login(document.getElementById("token").value);
};

// A live URL: #runtime/endpoint?… as one encoded string.
const endpoint = location.hash.split("?")[1];
if (endpoint) start(Object.fromEntries(new URLSearchParams(decodeURIComponent(endpoint))));
