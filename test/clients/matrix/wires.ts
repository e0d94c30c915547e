/** The two formats that the four clients speak, for one short answer. */
export type Wire = 'openai' | 'anthropic'

/** What every provider of the matrix says, unless the demo's model says it. */
export const wholeText = 'hello'

interface Pieces {
  /** The body of an answer that is not streamed. */
  readonly whole: string
  /** Server-sent events up to the middle of the text. */
  readonly firstHalf: string
  readonly secondHalf: string
  /** What says that the stream is over. */
  readonly endMarker: string
  /** An error that comes as an event, after the status was 200. */
  readonly errorEvent: string
  /** An event that is no JSON. */
  readonly malformed: string
}

export const wires: Readonly<Record<Wire, Pieces>> = { openai: openAi(), anthropic: anthropic() }

/** The body of an error answer. */
export function errorBody(wire: Wire, type: string, message: string): string {
  return JSON.stringify(
    wire === 'openai' ? { error: { message, type, param: null, code: type } } : { type: 'error', error: { type, message } },
  )
}

function openAi(): Pieces {
  const chunk = (delta: object, finishReason: string | null): string =>
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`
  return {
    whole: JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: wholeText } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
    firstHalf: chunk({ role: 'assistant', content: 'hel' }, null),
    secondHalf: chunk({ content: 'lo' }, null),
    endMarker: `${chunk({}, 'stop')}data: [DONE]\n\n`,
    errorEvent: `data: ${errorBody('openai', 'server_error', 'the model fell over')}\n\n`,
    malformed: 'data: {"choices": [\n\n',
  }
}

function anthropic(): Pieces {
  const event = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  const message = {
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const delta = (text: string): string =>
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as { readonly type: string })
  return {
    whole: JSON.stringify({ ...message, content: [{ type: 'text', text: wholeText }], stop_reason: 'end_turn' }),
    firstHalf:
      event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } } as { readonly type: string }) +
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { readonly type: string }) +
      delta('hel'),
    secondHalf: delta('lo'),
    endMarker:
      event({ type: 'content_block_stop', index: 0 } as { readonly type: string }) +
      event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } } as {
        readonly type: string
      }) +
      event({ type: 'message_stop' }),
    errorEvent: `event: error\ndata: ${errorBody('anthropic', 'overloaded_error', 'the model fell over')}\n\n`,
    malformed: 'event: content_block_delta\ndata: {"type": "content_block_delta", \n\n',
  }
}
