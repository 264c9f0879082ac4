// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { askingFailed, type LanguageModel } from '#core/ports/language-model.ts'
import { completionsModel } from '#adapters/model/completions.ts'
import { bearer, modelEndpoint, modelName, under } from '#adapters/model/endpoint.ts'

/** What a token of Entra ID must be for, in the public cloud. */
export const AZURE_OPENAI_SCOPE = 'https://cognitiveservices.azure.com/.default'
/** The first stable version that holds a model to a JSON Schema. */
export const AZURE_OPENAI_API_VERSION = '2024-10-21'

/** One deployment of a model in one Azure OpenAI resource. */
export interface AzureModelOptions {
  /** Address of the resource, for example `https://NAME.openai.azure.com`. It is sent the token: https, or http on this machine. */
  readonly endpoint: string
  /** The name that the deployment was given; the answer names the model that is behind it. */
  readonly deployment: string
  /**
   * A token of Entra ID for AZURE_OPENAI_SCOPE, kept by the caller while it is valid: it is asked for before every question.
   * What it throws is passed on where it is an AmpereError.
   */
  readonly token: (signal: AbortSignal) => Promise<string>
  readonly apiVersion?: string
  /** For models that reason before they answer. */
  readonly reasons?: boolean
}

/** @throws AmpereError CONFIGURATION */
export function azureLanguageModel(fetch: Fetch, options: AzureModelOptions): LanguageModel {
  const { endpoint, deployment, token, apiVersion = AZURE_OPENAI_API_VERSION, reasons = false } = options
  const model = modelName(deployment)
  if (!/^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(apiVersion))
    throw new AmpereError('CONFIGURATION', 'the version of Azure OpenAI is a date, with -preview or without')
  const url = under(modelEndpoint(endpoint), 'openai', 'deployments', model, 'chat', 'completions')
  url.searchParams.set('api-version', apiVersion)
  return completionsModel(fetch, {
    provider: 'azure-openai',
    model,
    isExternal: true,
    url,
    format: 'json_schema',
    reasons,
    headers: async (signal) => bearer(await tokenOf(token, signal)),
  })
}

async function tokenOf(token: AzureModelOptions['token'], signal: AbortSignal): Promise<string> {
  try {
    return await token(signal)
  } catch (error) {
    // Another error may quote what it was answered with, a token among it.
    throw isAmpereError(error) ? error : askingFailed('unreachable')
  }
}
