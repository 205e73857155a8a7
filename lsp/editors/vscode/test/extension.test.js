// The built extension against the real server, with the editor's API stubbed.

"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { spawn } = require("node:child_process");

const shown = [];
const executed = [];
const registered = new Map();
const providers = [];
const chosen = new Map();
const settings = { globalValue: undefined, workspaceValue: ["evil"], defaultValue: ["veriloop", "lsp"] };

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}
class Range {
  constructor(a, b, c, d) {
    const places = c === undefined ? [a, b] : [new Position(a, b), new Position(c, d)];
    Object.assign(this, { start: places[0], end: places[1] });
  }
}
class InlineCompletionItem {
  constructor(insertText, range) {
    Object.assign(this, { insertText, range });
  }
}
class Location {
  constructor(uri, range) {
    Object.assign(this, { uri, range });
  }
}
const uri = (text) => ({ toString: () => text });

const vscode = {
  Position,
  Range,
  Location,
  InlineCompletionItem,
  InlineCompletionTriggerKind: { Invoke: 0, Automatic: 1 },
  Uri: { parse: uri },
  ViewColumn: { Beside: -2 },
  commands: {
    registerCommand: (name, run) => (registered.set(name, run), { dispose() {} }),
    executeCommand: async (...words) => void executed.push(words),
  },
  languages: {
    registerInlineCompletionItemProvider: (selector, provider) => (providers.push(provider), { dispose() {} }),
  },
  window: {
    activeTextEditor: undefined,
    showErrorMessage: async (text) => void shown.push(text),
    showInformationMessage: async (text) => void shown.push(text),
    showTextDocument: async (document) => void shown.push(document.content),
  },
  workspace: {
    getConfiguration: () => ({ inspect: () => settings, get: (name, otherwise) => chosen.get(name) ?? otherwise }),
    onDidChangeConfiguration: () => ({ dispose() {} }),
    openTextDocument: async (document) => document,
  },
};

// A client that speaks to the real server: the part of vscode-languageclient that the extension uses.
class LanguageClient {
  constructor(id, name, server) {
    Object.assign(this, { server, waiting: new Map(), next: 1, left: Buffer.alloc(0) });
  }

  async start() {
    await new Promise((resolve, reject) => {
      this.process = spawn(this.server.command, this.server.args, { stdio: ["pipe", "pipe", "ignore"] });
      this.process.once("error", reject);
      this.process.once("spawn", resolve);
    });
    this.process.stdout.on("data", (data) => this.read(data));
    await this.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
    this.notify("initialized", {});
  }

  async stop() {
    await this.sendRequest("shutdown", null);
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.notify("exit", null);
    assert.strictEqual(await ended, 0);
  }

  write(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.process.stdin.write(body);
  }

  notify(method, params) {
    this.write({ method, params });
  }

  sendRequest(method, params) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.write({ id, method, params });
    });
  }

  read(data) {
    this.left = Buffer.concat([this.left, data]);
    for (;;) {
      const end = this.left.indexOf("\r\n\r\n");
      const length = /Content-Length: (\d+)/.exec(this.left.subarray(0, Math.max(end, 0)).toString());
      if (end < 0 || !length || this.left.length < end + 4 + Number(length[1])) {
        return;
      }
      const message = JSON.parse(this.left.subarray(end + 4, end + 4 + Number(length[1])).toString());
      this.left = this.left.subarray(end + 4 + Number(length[1]));
      const waiting = message.method === undefined ? this.waiting.get(message.id) : undefined;
      if (waiting) {
        this.waiting.delete(message.id);
        message.error ? waiting.reject(new Error(message.error.message)) : waiting.resolve(message.result);
      }
    }
  }
}

const clients = [];
const languageClient = {
  LanguageClient: class extends LanguageClient {
    constructor(...words) {
      super(...words);
      clients.push(this);
    }
  },
  TransportKind: { stdio: 0 },
};

const load = Module._load;
Module._load = (name, ...rest) =>
  name === "vscode" ? vscode : name.startsWith("vscode-languageclient") ? languageClient : load(name, ...rest);
const extension = require(path.join(__dirname, "..", process.env.VERILOOP_EXTENSION ?? "out/extension.js"));

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "veriloop-"));
const file = path.join(directory, "a.sv");
const text = "`define TWO 2\nmodule m(input a, output y);\n  assign y = a ^ `TWO;\nendmodule\n";
const context = { subscriptions: [] };

before(async () => {
  fs.writeFileSync(file, text);
  settings.globalValue = JSON.parse(process.env.VERILOOP_COMMAND ?? '["veriloop", "lsp"]');
  await extension.activate(context);
});
after(async () => {
  await extension.deactivate();
  fs.rmSync(directory, { recursive: true });
});

function cursor(line, character) {
  const document = { uri: uri(`file://${file}`) };
  vscode.window.activeTextEditor = { document, selection: { active: new Position(line, character) } };
}

test("a workspace cannot choose what is started", () => {
  assert.deepStrictEqual(extension.serverCommand(vscode.workspace.getConfiguration()), settings.globalValue);
  assert.deepStrictEqual(clients[0].server.command, settings.globalValue[0]);
});

test("the commands that package.json names are there", () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(__dirname, "..", "package.json"), "utf8"));
  for (const { command } of manifest.contributes.commands) {
    assert.ok(registered.has(command), command);
  }
});

test("a macro is shown", async () => {
  cursor(2, 19);
  await registered.get("veriloop.expandMacro")();
  assert.strictEqual(shown.pop(), "2");
  cursor(0, 0);
  await registered.get("veriloop.expandMacro")();
  assert.match(shown.pop(), /no macro here/);
});

test("drivers are gone to", async () => {
  cursor(1, 25);
  await registered.get("veriloop.drivers")();
  const [name, , , [place]] = executed.pop();
  assert.strictEqual(name, "editor.action.goToLocations");
  assert.strictEqual(place.range.start.line, 2);
});

test("what comes next is suggested, unless it is switched off", async () => {
  const written = path.join(directory, "b.sv");
  const content = "module b(input a, c, output y, z);\n  assign y = a & c;\n  assign z\nendmodule\n";
  const item = { uri: `file://${written}`, languageId: "systemverilog", version: 1, text: content };
  clients.at(-1).notify("textDocument/didOpen", { textDocument: item });
  const ask = (token) =>
    providers[0].provideInlineCompletionItems({ uri: uri(item.uri) }, new Position(2, 10), { triggerKind: 1 }, token);
  const found = await ask({ isCancellationRequested: false });
  assert.ok(found.some(({ insertText }) => insertText === " = a & c;"), JSON.stringify(found));
  assert.strictEqual(found[0].range.start.character, 10);
  chosen.set("inlineCompletion", false);
  assert.deepStrictEqual(await ask({ isCancellationRequested: false }), []);
  chosen.clear();
});

test("instances of a lens are shown", async () => {
  const place = { uri: `file://${file}`, range: { start: new Position(0, 1), end: new Position(0, 2) } };
  await registered.get("veriloop.showReferences")(`file://${file}`, { line: 1, character: 7 }, [place]);
  const [name, , position, places] = executed.pop();
  assert.deepStrictEqual([name, position.line, places.length], ["editor.action.showReferences", 1, 1]);
});

test("the status is told, and the server starts again", async () => {
  await registered.get("veriloop.status")();
  assert.match(shown.pop(), /files read/);
  await registered.get("veriloop.restart")();
  assert.strictEqual(clients.length, 2);
});

test("a command that is not there is told with the setting to change", async () => {
  await extension.deactivate();
  const right = settings.globalValue;
  settings.globalValue = ["/nowhere/veriloop"];
  await registered.get("veriloop.restart")();
  assert.match(shown.pop(), /Set veriloop.command/);
  settings.globalValue = right;
  await registered.get("veriloop.restart")();
});
