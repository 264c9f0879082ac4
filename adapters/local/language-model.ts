// SPDX-License-Identifier: Apache-2.0
import type { Fetch } from '#core/ports/keys.ts'
import type { LanguageModel } from '#core/ports/language-model.ts'
import { completionsModel, type AnswerFormat } from '#adapters/model/completions.ts'
import { bearer, isLoopback, modelEndpoint, modelName, under } from '#adapters/model/endpoint.ts'

/** A server that speaks OpenAI's chat completions: llama.cpp, vLLM, Ollama, OpenAI itself. */
export interface LocalModelOptions {
  /** Its address up to and with the version, for example `http://127.0.0.1:11434/v1`: https, or http on this machine. */
  readonly baseUrl: string
  readonly model: string
  /** Null for a server that asks for none. The caller reads it from where it is kept. */
  readonly key: string | null
  /** `json_object` for a server that cannot be held to a schema: it is then told the schema behind the instructions. */
  readonly format?: AnswerFormat
  /** For models that reason before they answer. */
  readonly reasons?: boolean
}

/** @throws AmpereError CONFIGURATION */
export function localLanguageModel(fetch: Fetch, options: LocalModelOptions): LanguageModel {
  const endpoint = modelEndpoint(options.baseUrl)
  const headers = options.key === null ? {} : bearer(options.key)
  return completionsModel(fetch, {
    provider: 'openai-compatible',
    model: modelName(options.model),
    isExternal: !isLoopback(endpoint),
    url: under(endpoint, 'chat', 'completions'),
    format: options.format ?? 'json_schema',
    reasons: options.reasons ?? false,
    headers: async () => headers,
  })
}
