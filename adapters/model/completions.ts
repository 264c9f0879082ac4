// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { count } from '#core/bytes/schema.ts'
import type { Fetch } from '#core/ports/keys.ts'
import {
  askingFailed,
  checkQuestion,
  type LanguageModel,
  type ModelAnswer,
  type ModelFailure,
  type ModelQuestion,
} from '#core/ports/language-model.ts'
import { exchange, inTime, parsed } from './exchange.ts'
import { serverName, textOrNull } from './said.ts'

/** How a server is held to a schema: by itself, or by being told of it where it only knows that it shall give JSON. */
export type AnswerFormat = 'json_schema' | 'json_object'

/** A server of OpenAI's chat completions (platform.openai.com/docs/api-reference/chat). */
export interface CompletionsOptions {
  readonly provider: string
  readonly model: string
  readonly isExternal: boolean
  readonly url: URL
  readonly format: AnswerFormat
  /** A model that reasons before it answers takes `max_completion_tokens`, which counts that too, and no temperature. */
  readonly reasons: boolean
  /** What is asked for anew for each question: tokens end. */
  readonly headers: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

/** A language model behind chat completions, as OpenAI, Azure and most servers of open models speak them. */
export function completionsModel(fetch: Fetch, options: CompletionsOptions): LanguageModel {
  const { provider, model, isExternal, url } = options
  return {
    provider,
    model,
    isExternal,
    answer: async (question, { signal }) => {
      checkQuestion(question)
      if (signal.aborted) throw askingFailed('late')
      const headers = {
        'content-type': 'application/json',
        ...(await inTime(options.headers(signal), signal)),
      }
      const init = { headers, body: JSON.stringify(bodyOf(question, options)) }
      return read(await exchange(fetch, { url, init }, { signal, named }), model)
    },
  }
}

function bodyOf(question: ModelQuestion, { model, format, reasons }: CompletionsOptions): object {
  const { instructions, input, schema, schemaName, maxOutputTokens } = question
  const isHeld = format === 'json_schema'
  const told = isHeld ? '' : `\n\nAnswer with one JSON object of this JSON Schema:\n${JSON.stringify(schema)}`
  return {
    model,
    messages: [
      { role: 'system', content: `${instructions}${told}` },
      { role: 'user', content: input },
    ],
    response_format: isHeld
      ? { type: format, json_schema: { name: schemaName, strict: true, schema } }
      : { type: format },
    ...(reasons
      ? { max_completion_tokens: maxOutputTokens }
      : { max_tokens: maxOutputTokens, temperature: 0 }),
  }
}

const CHOICE = v.object({
  finish_reason: textOrNull,
  message: v.fallback(v.object({ content: textOrNull, refusal: textOrNull }), {
    content: null,
    refusal: null,
  }),
})
const COMPLETION = v.object({
  model: serverName,
  system_fingerprint: serverName,
  choices: v.fallback(v.array(CHOICE), []),
  usage: v.fallback(v.nullable(v.object({ prompt_tokens: count, completion_tokens: count })), null),
})

function read(said: unknown, configured: string): ModelAnswer {
  const completion = v.safeParse(COMPLETION, said)
  if (!completion.success) throw askingFailed('malformed')
  const { model, system_fingerprint: build, choices, usage: counted } = completion.output
  const usage = counted && { inputTokens: counted.prompt_tokens, outputTokens: counted.completion_tokens }
  const [choice, ...others] = choices
  const failure = choice && others.length === 0 ? failureOf(choice) : 'malformed'
  if (failure) throw askingFailed(failure, { usage })
  return { value: valueOf(choice?.message.content ?? '', usage), model: model ?? configured, build, usage }
}

function failureOf({ finish_reason: finish, message }: v.InferOutput<typeof CHOICE>): ModelFailure | null {
  if (finish === 'content_filter' || (message.refusal ?? '') !== '') return 'refused'
  if (finish === 'length') return 'truncated'
  return finish === 'stop' ? null : 'malformed'
}

/** Nothing is cut out of a text around it: whoever wrote into the input could then choose what counts as the answer. */
function valueOf(content: string, usage: ModelAnswer['usage']): unknown {
  try {
    return parsed(content)
  } catch {
    throw askingFailed('malformed', { usage })
  }
}

/** What servers say of a refusal by a word of their own, where the status alone would say something else. */
const NAMED: ReadonlyMap<unknown, ModelFailure> = new Map<unknown, ModelFailure>([
  ['content_filter', 'refused'],
  ['ResponsibleAIPolicyViolation', 'refused'],
  ['content_policy_violation', 'refused'],
  ['context_length_exceeded', 'too-long'],
  ['string_above_max_length', 'too-long'],
  ['exceed_context_size_error', 'too-long'],
])
const word = v.optional(v.unknown())
const REFUSAL = v.object({
  error: v.object({
    code: word,
    type: word,
    innererror: v.fallback(v.object({ code: word }), {}),
  }),
})

function named(body: unknown): ModelFailure | null {
  const refusal = v.safeParse(REFUSAL, body)
  if (!refusal.success) return null
  const { code, type, innererror } = refusal.output.error
  return NAMED.get(code) ?? NAMED.get(innererror.code) ?? NAMED.get(type) ?? null
}
