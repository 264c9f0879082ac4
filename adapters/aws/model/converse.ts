// SPDX-License-Identifier: Apache-2.0
import type { ConverseCommandInput, ToolInputSchema } from '@aws-sdk/client-bedrock-runtime'
import * as v from 'valibot'
import { count } from '#core/bytes/schema.ts'
import {
  askingFailed,
  type ModelAnswer,
  type ModelFailure,
  type ModelQuestion,
} from '#core/ports/language-model.ts'
import { serverName, textOrNull } from '#adapters/model/said.ts'

/** How one model is asked. */
export interface ConverseOptions {
  /**
   * Id of a model or of an inference profile, which may answer from other regions: its version is in it. The model can be made
   * to use a tool, which is how the schema reaches it.
   */
  readonly modelId: string
  /** Whether Bedrock holds the model to the schema, which it does for some of them; others are only told of it. */
  readonly isStrict?: boolean
  /** For models that reason before they answer and take no temperature. */
  readonly reasons?: boolean
}

/** What Converse is sent: the answer is the input of the one tool that there is. */
export function inputOf(
  { instructions, input, schema, schemaName, maxOutputTokens }: ModelQuestion,
  { modelId, isStrict = false, reasons = false }: ConverseOptions,
): ConverseCommandInput {
  const inputSchema = { json: schema } as ToolInputSchema
  return {
    modelId,
    system: [{ text: instructions }],
    messages: [{ role: 'user', content: [{ text: input }] }],
    inferenceConfig: { maxTokens: maxOutputTokens, ...(reasons ? {} : { temperature: 0 }) },
    toolConfig: {
      tools: [{ toolSpec: { name: schemaName, inputSchema, ...(isStrict ? { strict: true } : {}) } }],
      toolChoice: { tool: { name: schemaName } },
    },
  }
}

const TOOL_USE = v.object({ toolUse: v.object({ name: v.string(), input: v.unknown() }) })
const CONVERSED = v.object({
  stopReason: textOrNull,
  output: v.fallback(v.object({ message: v.object({ content: v.array(v.unknown()) }) }), {
    message: { content: [] },
  }),
  usage: v.fallback(v.nullable(v.object({ inputTokens: count, outputTokens: count })), null),
  // Of a prompt router, which chooses the model.
  trace: v.fallback(v.object({ promptRouter: v.object({ invokedModelId: serverName }) }), {
    promptRouter: { invokedModelId: null },
  }),
})

const STOPPED: ReadonlyMap<string | null, ModelFailure> = new Map<string | null, ModelFailure>([
  ['max_tokens', 'truncated'],
  ['model_context_window_exceeded', 'truncated'],
  ['content_filtered', 'refused'],
  ['guardrail_intervened', 'refused'],
  ['refusal', 'refused'],
])

/** @throws AmpereError as the port says */
export function answerOf(said: unknown, { schemaName }: ModelQuestion, configured: string): ModelAnswer {
  const conversed = v.safeParse(CONVERSED, said)
  if (!conversed.success) throw askingFailed('malformed')
  const { stopReason, output, usage, trace } = conversed.output
  if (stopReason !== 'tool_use') throw askingFailed(STOPPED.get(stopReason) ?? 'malformed', { usage })
  // Text and reasoning beside the tool are no part of the answer: the server keeps them apart, not we.
  const used = output.message.content.flatMap((block) => {
    const parsed = v.safeParse(TOOL_USE, block)
    return parsed.success ? [parsed.output.toolUse] : []
  })
  const [tool, ...others] = used
  if (tool?.name !== schemaName || others.length > 0) throw askingFailed('malformed', { usage })
  const model = trace.promptRouter.invokedModelId ?? configured
  return { value: tool.input, model, build: null, usage }
}

/** Bedrock says by words what other servers say by a status. */
export function failureNamed(body: unknown, headers: Headers): ModelFailure | null {
  if (headers.get('x-amzn-errortype')?.startsWith('ServiceQuotaExceededException') === true) return 'busy'
  const refusal = v.safeParse(v.object({ message: v.string() }), body)
  if (!refusal.success) return null
  if (/model identifier is invalid/i.test(refusal.output.message)) return 'unknown-model'
  return /input is too long/i.test(refusal.output.message) ? 'too-long' : null
}
