// SPDX-License-Identifier: Apache-2.0
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type BedrockRuntimeClientConfig,
} from '@aws-sdk/client-bedrock-runtime'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { askingFailed, checkQuestion, type LanguageModel } from '#core/ports/language-model.ts'
import { modelEndpoint, modelName } from '#adapters/model/endpoint.ts'
import { inTime } from '#adapters/model/exchange.ts'
import { answerOf, inputOf, type ConverseOptions } from './model/converse.ts'
import { exchangeSigned } from './model/exchange-signed.ts'

/** One model of Amazon Bedrock, asked from one region. */
export interface BedrockModelOptions extends ConverseOptions {
  readonly region: string
  /** Whom Bedrock sees; left out, who runs the process. */
  readonly credentials?: NonNullable<BedrockRuntimeClientConfig['credentials']>
  /** Another address than the region's own: https, or http on this machine. */
  readonly endpoint?: string
}

/**
 * A language model behind Bedrock's Converse, signed as a role (a key of AWS_BEARER_TOKEN_BEDROCK is not used).
 * @throws AmpereError CONFIGURATION
 */
export function bedrockLanguageModel(fetch: Fetch, options: BedrockModelOptions): LanguageModel {
  const model = modelName(options.modelId)
  const client = clientOf(options)
  return {
    provider: 'bedrock',
    model,
    isExternal: true,
    answer: async (question, { signal }) => {
      checkQuestion(question)
      if (signal.aborted) throw askingFailed('late')
      const command = new ConverseCommand(inputOf(question, options))
      const said = exchangeSigned(command, fetch, signal)
      // Credentials are looked up before it; that does not heed the signal.
      await inTime(client.send(command, { abortSignal: signal }), signal).catch(rethrow)
      return answerOf(said(), question, model)
    },
  }
}

/** Everything goes through the port's fetch, which speaks HTTP/1.1: the SDK's own handler would have it signed for HTTP/2. */
const SENDS_NOTHING = {
  metadata: { handlerProtocol: 'http/1.1' },
  handle: async () => {
    throw askingFailed('unreachable')
  },
}

function clientOf({ region, credentials, endpoint }: BedrockModelOptions): BedrockRuntimeClient {
  if (!/^[a-z0-9-]{1,63}$/.test(region))
    throw new AmpereError('CONFIGURATION', 'the region of the language model is not one of AWS')
  return new BedrockRuntimeClient({
    region,
    maxAttempts: 1,
    authSchemePreference: ['sigv4'],
    requestHandler: SENDS_NOTHING,
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint: modelEndpoint(endpoint).href }),
  })
}

/** Errors of the SDK end here: they carry what was sent and what came back. */
function rethrow(error: unknown): never {
  if (isAmpereError(error)) throw error
  const { name, $fault } = error as { readonly name?: unknown; readonly $fault?: unknown }
  throw askingFailed(name === 'CredentialsProviderError' || $fault === 'client' ? 'barred' : 'unreachable')
}
