// Plays a web page with the unmodified npm package: one JSON command a line in, one JSON line out for each, in
// any order, told apart by `id`. It ends when its input does. The public pieces of the package do all the work.

import { createInterface } from 'node:readline';

const packages = { 7: await import('ai'), 6: await import('ai-6') };

const toldError = error =>
  error == null ? null : { name: error.name, message: error.message.slice(0, 1000), status: error.statusCode ?? null };

/** A transport of the package; `stream` is the answer where no server is to be asked. told: of what came. */
const transportOf = ({ version, url, headers, stream }, told = {}) =>
  new packages[version].DefaultChatTransport({
    api: url ?? 'http://127.0.0.1/none',
    headers,
    fetch: async (...asked) => {
      const answer = stream === undefined ? await fetch(...asked) : new Response(stream);
      told.headers = Object.fromEntries(answer.headers);
      return answer;
    },
  });

/** Opens the stream of parts that a command asks for. Add ways to get one here. */
const open = (command, abortSignal, told) => {
  const transport = transportOf(command, told);
  const chatId = command.chatId ?? 'chat';
  if (command.reconnect) return transport.reconnectToStream({ chatId });
  const { messages = [], body, trigger = 'submit-message', messageId } = command;
  return transport.sendMessages({ chatId, messages, body, trigger, messageId, abortSignal });
};

/** Stops an answer on its server: its message has the stream's id. */
const stop = ({ url }, { parts }) =>
  fetch(new URL(`/v1/streams/${parts[0].messageId}`, url), { method: 'DELETE' });

/** Reads a whole answer; `headers` are its. abortAfter, deleteAfter: the page aborts, or has the server stop
 * the answer, once it has seen so many parts. */
async function read(command) {
  const { readUIMessageStream, parsePartialJson } = packages[command.version];
  const aborting = new AbortController();
  const seen = { message: null, parts: [], objects: [], error: null, headers: {} };
  try {
    const stream = await open(command, aborting.signal, seen);
    if (stream === null) return { ...seen, none: true };
    const watched = stream.pipeThrough(
      new TransformStream({
        transform(part, controller) {
          seen.parts.push(part);
          controller.enqueue(part);
          if (seen.parts.length === command.abortAfter) aborting.abort();
          if (seen.parts.length === command.deleteAfter) stop(command, seen);
        },
      }),
    );
    const onError = error => (seen.error ??= toldError(error));
    for await (const message of readUIMessageStream({ stream: watched, onError })) {
      seen.message = message;
      if (command.objects) {
        const text = message.parts.map(part => (part.type === 'text' ? part.text : '')).join('');
        seen.objects.push(await parsePartialJson(text));
      }
    }
  } catch (error) {
    seen.error = toldError(error);
  }
  if (command.brief) seen.parts = seen.parts.length;
  return seen;
}

/** A whole chat: says `text`, answers tool calls with `outputs` by name, goes on while the package says so. */
async function chat(command) {
  const { AbstractChat, lastAssistantMessageIsCompleteWithToolCalls } = packages[command.version];
  const state = {
    status: 'ready',
    error: undefined,
    messages: command.messages ?? [],
    pushMessage: message => (state.messages = [...state.messages, message]),
    popMessage: () => (state.messages = state.messages.slice(0, -1)),
    replaceMessage: (at, message) => (state.messages = state.messages.with(at, message)),
    snapshot: structuredClone,
  };
  const ends = [];
  const data = [];
  const talk = new AbstractChat({
    state,
    id: command.chatId ?? 'chat',
    transport: transportOf(command),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    onData: part => data.push(part),
    onFinish: ({ isAbort, isError, isDisconnect, finishReason = null }) =>
      ends.push({ isAbort, isError, isDisconnect, finishReason }),
    onToolCall: ({ toolCall: { toolName: tool, toolCallId } }) => {
      const output = command.outputs?.[tool];
      if (output !== undefined) talk.addToolOutput({ tool, toolCallId, output });
    },
  });
  await talk.sendMessage({ text: command.text }, { body: command.body });
  while (['submitted', 'streaming'].includes(talk.status)) await new Promise(setImmediate);
  return { messages: state.messages, status: talk.status, error: toldError(talk.error), ends, data };
}

/** What the package's own server side makes of messages: it validates them and asks its model so. */
async function model({ version, messages }) {
  const { validateUIMessages, convertToModelMessages } = packages[version];
  try {
    return { messages: await convertToModelMessages(await validateUIMessages({ messages })), error: null };
  } catch (error) {
    return { messages: null, error: toldError(error) };
  }
}

/** The events of a stream that the package's own server side writes from parts. */
async function write({ version, parts }) {
  const { createUIMessageStream, createUIMessageStreamResponse } = packages[version];
  const stream = createUIMessageStream({ execute: ({ writer }) => parts.forEach(part => writer.write(part)) });
  return { text: await createUIMessageStreamResponse({ stream }).text() };
}

const many = async ({ commands }) => ({ answers: await Promise.all(commands.map(read)) });
const operations = { read, many, chat, model, write };

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  operations[command.op](command).then(
    answer => process.stdout.write(`${JSON.stringify({ id: command.id, ...answer })}\n`),
    error => process.stdout.write(`${JSON.stringify({ id: command.id, broken: error.stack })}\n`),
  );
}
