// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import { bedrockLanguageModel, type BedrockModelOptions } from '#adapters/aws/language-model.ts'
import { failedAnswer } from '#core/ports/language-model.ts'
import { QUESTION } from '#tests/contract/model/cases.ts'

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'SECRET' }
const OPTIONS: BedrockModelOptions = {
  region: 'eu-central-1',
  modelId: 'eu.amazon.nova-pro-v1:0',
  credentials: KEY,
}
const { signal } = new AbortController()
const VERDICT = { toolUse: { toolUseId: 't1', name: 'verdict', input: { verdict: 'consistent' } } }
const USAGE = { inputTokens: 11, outputTokens: 7, totalTokens: 18 }

/** What Converse answers when the model used a tool, with some members changed. */
function conversed(content: readonly unknown[], members: object = {}): string {
  return JSON.stringify({
    output: { message: { content } },
    stopReason: 'tool_use',
    usage: USAGE,
    ...members,
  })
}

/** A model whose server answers everything alike, and what it was asked. */
function opened(
  options: Partial<BedrockModelOptions> = {},
  answer = () => new Response(conversed([VERDICT])),
) {
  const requests: Request[] = []
  const fetch = async (request: Request) => {
    requests.push(request)
    return answer()
  }
  return { model: bedrockLanguageModel(fetch, { ...OPTIONS, ...options }), requests }
}

async function failureOf(asking: Promise<unknown>) {
  const error = await asking.catch((thrown: unknown) => thrown)
  expect(String(error)).not.toContain('SECRET')
  return failedAnswer(error)
}

describe('a model of Bedrock', () => {
  const environment = { ...process.env }
  afterEach(() => {
    process.env = { ...environment }
  })

  it("is asked at its region's own address", async () => {
    const { model, requests } = opened()
    await model.answer(QUESTION, { signal })
    expect(requests.map(({ url }) => url)).toEqual([
      'https://bedrock-runtime.eu-central-1.amazonaws.com/model/eu.amazon.nova-pro-v1%3A0/converse',
    ])
  })

  it('is asked as the role that runs, not with a key that lies in the environment', async () => {
    process.env['AWS_BEARER_TOKEN_BEDROCK'] = 'SECRET'
    const { model, requests } = opened()
    await model.answer(QUESTION, { signal })
    expect(requests[0]?.headers.get('authorization')).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\//)
  })

  it('is not asked over http because the environment says so', async () => {
    process.env['AWS_ENDPOINT_URL_BEDROCK_RUNTIME'] = 'http://example.org'
    const { model, requests } = opened()
    await expect(model.answer(QUESTION, { signal })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    expect(requests).toEqual([])
  })

  it('that reasons is given no temperature; one that can be held to a schema is', async () => {
    const { model, requests } = opened({ reasons: true, isStrict: true })
    await model.answer(QUESTION, { signal })
    const asked = (await requests[0]?.json()) as Record<string, unknown>
    expect(asked['inferenceConfig']).toEqual({ maxTokens: QUESTION.maxOutputTokens })
    expect(asked['toolConfig']).toMatchObject({ tools: [{ toolSpec: { strict: true } }] })
    const plain = opened()
    await plain.model.answer(QUESTION, { signal })
    const body = (await plain.requests[0]?.json()) as { toolConfig: { tools: { toolSpec: object }[] } }
    expect(body.toolConfig.tools.map(({ toolSpec }) => 'strict' in toolSpec)).toEqual([false])
  })

  it('may think and talk beside its answer', async () => {
    const beside = [
      { reasoningContent: { reasoningText: { text: '{"verdict":"inconsistent"}' } } },
      { text: '{}' },
    ]
    const { model } = opened({}, () => new Response(conversed([...beside, VERDICT, { text: 'done' }])))
    expect((await model.answer(QUESTION, { signal })).value).toEqual({ verdict: 'consistent' })
  })

  it.each([
    ['answers twice', [VERDICT, VERDICT], {}, 'malformed'],
    ['uses a tool that it was not given', [{ toolUse: { name: 'other', input: {} } }], {}, 'malformed'],
    ['uses none', [{ text: '{"verdict":"consistent"}' }], {}, 'malformed'],
    ['stops by itself after using it', [VERDICT], { stopReason: 'end_turn' }, 'malformed'],
    ['does not say why it stopped', [VERDICT], { stopReason: undefined }, 'malformed'],
    ['says that its JSON is none', [VERDICT], { stopReason: 'malformed_tool_use' }, 'malformed'],
    ['is cut', [VERDICT], { stopReason: 'max_tokens' }, 'truncated'],
    ['has no room left', [VERDICT], { stopReason: 'model_context_window_exceeded' }, 'truncated'],
    ['is filtered', [VERDICT], { stopReason: 'content_filtered' }, 'refused'],
    ['is stopped by a guardrail', [VERDICT], { stopReason: 'guardrail_intervened' }, 'refused'],
  ])('has not answered where it %s', async (_, content, members, failure) => {
    const { model } = opened({}, () => new Response(conversed(content, members)))
    expect(await failureOf(model.answer(QUESTION, { signal }))).toEqual({
      failure,
      usage: { inputTokens: 11, outputTokens: 7 },
      retryAfterSeconds: null,
    })
  })

  it('is named by the router that chose it, else as it was asked for', async () => {
    const trace = { promptRouter: { invokedModelId: 'amazon.nova-lite-v1:0' } }
    const routed = opened({}, () => new Response(conversed([VERDICT], { trace })))
    expect(await routed.model.answer(QUESTION, { signal })).toMatchObject({ model: 'amazon.nova-lite-v1:0' })
    expect(await opened().model.answer(QUESTION, { signal })).toMatchObject({ model: OPTIONS.modelId })
  })

  it.each([
    ['ValidationException', 'The provided model identifier is invalid.', 'unknown-model'],
    ['ValidationException', 'Input is too long for requested model.', 'too-long'],
    ['ValidationException', 'temperature is not supported', 'unsupported'],
    ['ServiceQuotaExceededException', 'Too many tokens per day', 'busy'],
  ])('that answers 400 %s, %s, has failed: %s', async (type, message, failure) => {
    const headers = { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` }
    const { model } = opened({}, () => new Response(JSON.stringify({ message }), { status: 400, headers }))
    expect(await failureOf(model.answer(QUESTION, { signal }))).toMatchObject({ failure })
  })

  it('is barred where nobody has credentials, and given up while they are waited for', async () => {
    const nobody = Object.assign(new Error('SECRET'), { name: 'CredentialsProviderError' })
    const without = opened({ credentials: () => Promise.reject(nobody) })
    expect(await failureOf(without.model.answer(QUESTION, { signal }))).toMatchObject({ failure: 'barred' })
    const stop = new AbortController()
    const waiting = opened({ credentials: () => new Promise(() => undefined) })
    const asking = failureOf(waiting.model.answer(QUESTION, { signal: stop.signal }))
    stop.abort()
    expect(await asking).toMatchObject({ failure: 'late' })
    expect([...without.requests, ...waiting.requests]).toEqual([])
  })

  it.each([{ region: 'eu-central-1.example.org/' }, { modelId: '' }, { endpoint: 'http://example.org' }])(
    'is not opened with %j',
    (options) => {
      expect(() => opened(options)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    },
  )
})
