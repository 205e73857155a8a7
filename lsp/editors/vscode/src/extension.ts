// The client: starts `veriloop lsp`, and does what only an editor can do for it.

import * as vscode from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions, TransportKind } from "vscode-languageclient/node";

interface Place {
  uri: string;
  range: { start: Position; end: Position };
}

interface Suggested {
  insertText: string;
  range?: { start: Position; end: Position };
}

interface Position {
  line: number;
  character: number;
}

const SELECTOR = [{ language: "verilog" }, { language: "systemverilog" }];

let client: LanguageClient | undefined;

/** The command of the user's settings; a workspace's own is ignored, because opening a folder must start nothing of it. */
export function serverCommand(settings: vscode.WorkspaceConfiguration): string[] {
  const inspected = settings.inspect<string[]>("command");
  const words = inspected?.globalValue ?? inspected?.defaultValue ?? [];
  return words.length > 0 ? words : ["veriloop", "lsp"];
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("veriloop.restart", restart),
    vscode.commands.registerCommand("veriloop.status", showStatus),
    vscode.commands.registerCommand("veriloop.expandMacro", expandMacro),
    vscode.commands.registerCommand("veriloop.drivers", goToDrivers),
    vscode.commands.registerCommand("veriloop.showReferences", showReferences),
    vscode.languages.registerInlineCompletionItemProvider(SELECTOR, { provideInlineCompletionItems: suggest }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("veriloop.command")) {
        await restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

async function start(): Promise<void> {
  const [command, ...args] = serverCommand(vscode.workspace.getConfiguration("veriloop"));
  const server: ServerOptions = { command, args, transport: TransportKind.stdio };
  const options: LanguageClientOptions = {
    documentSelector: SELECTOR,
  };
  client = new LanguageClient("veriloop", "Veriloop", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(`Veriloop: ${command} cannot be started: ${reason}. Set veriloop.command.`);
  }
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

/** Asks the server about the cursor; nothing where no editor is open. */
async function askHere<T>(method: string): Promise<T | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || client === undefined) {
    return undefined;
  }
  const position = editor.selection.active;
  return client.sendRequest<T>(method, {
    textDocument: { uri: editor.document.uri.toString() },
    position: { line: position.line, character: position.character },
  });
}

/** What comes next. The editor's own token takes the question back when the next key comes. */
async function suggest(
  document: vscode.TextDocument,
  position: vscode.Position,
  context: vscode.InlineCompletionContext,
  token: vscode.CancellationToken,
): Promise<vscode.InlineCompletionItem[]> {
  if (client === undefined || !vscode.workspace.getConfiguration("veriloop").get<boolean>("inlineCompletion", true)) {
    return [];
  }
  const invoked = context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
  const parameters = {
    textDocument: { uri: document.uri.toString() },
    position: { line: position.line, character: position.character },
    context: { triggerKind: invoked ? 1 : 2 },
  };
  try {
    const method = "textDocument/inlineCompletion";
    const found = await client.sendRequest<Suggested[] | { items: Suggested[] } | null>(method, parameters, token);
    const items = Array.isArray(found) ? found : (found?.items ?? []);
    return items.map((item) => new vscode.InlineCompletionItem(item.insertText, new vscode.Range(position, position)));
  } catch {
    // Taken back, or about a text that is no more: there is nothing to show.
    return [];
  }
}

async function expandMacro(): Promise<void> {
  const found = await askHere<{ expansion: string } | null>("veriloop/expandMacro");
  if (!found) {
    void vscode.window.showInformationMessage("Veriloop: there is no macro here");
    return;
  }
  const document = await vscode.workspace.openTextDocument({ language: "systemverilog", content: found.expansion });
  await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside });
}

async function goToDrivers(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const found = (await askHere<Place[]>("veriloop/drivers")) ?? [];
  if (editor === undefined || found.length === 0) {
    void vscode.window.showInformationMessage("Veriloop: nothing drives a signal here");
    return;
  }
  const { uri } = editor.document;
  await vscode.commands.executeCommand("editor.action.goToLocations", uri, editor.selection.active, found.map(location));
}

async function showStatus(): Promise<void> {
  const status = await client?.sendRequest<{ files: number; indexed: number; memory_mb: number }>("veriloop/status", {});
  const text = status ? `${status.indexed} of ${status.files} files read, ${status.memory_mb} MB` : "not running";
  void vscode.window.showInformationMessage(`Veriloop: ${text}`);
}

async function showReferences(uri: string, at: Position, places: Place[]): Promise<void> {
  const position = new vscode.Position(at.line, at.character);
  const found = places.map(location);
  await vscode.commands.executeCommand("editor.action.showReferences", vscode.Uri.parse(uri), position, found);
}

function location(place: Place): vscode.Location {
  const { start, end } = place.range;
  const range = new vscode.Range(start.line, start.character, end.line, end.character);
  return new vscode.Location(vscode.Uri.parse(place.uri), range);
}
