// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { azureLanguageModel, type AzureModelOptions } from '#adapters/azure/language-model.ts'
import { AmpereError } from '#core/errors.ts'
import { failedAnswer } from '#core/ports/language-model.ts'
import { QUESTION } from '#tests/contract/model/cases.ts'
import { fakeAzureOpenAi } from '#tests/contract/model/fake-dialects.ts'

const OPTIONS: AzureModelOptions = {
  endpoint: 'https://example.openai.azure.com/',
  deployment: 'checks',
  token: async () => 't1',
}
const { signal } = new AbortController()

/** A model whose server answers well, and what it was asked. */
function opened(options: Partial<AzureModelOptions> = {}) {
  const requests: Request[] = []
  const fetch = async (request: Request) => {
    requests.push(request)
    return new Response(fakeAzureOpenAi('').answer({ text: '{}', end: 'whole', model: 'gpt-9-2031-01-01' }))
  }
  return { model: azureLanguageModel(fetch, { ...OPTIONS, ...options }), requests }
}

describe('a model of Azure OpenAI', () => {
  it('is asked at its deployment, in the version of the interface that is configured', async () => {
    const { model, requests } = opened({ deployment: 'a/b', apiVersion: '2025-04-01-preview' })
    expect(await model.answer(QUESTION, { signal })).toMatchObject({ model: 'gpt-9-2031-01-01' })
    expect(requests.map(({ url }) => url)).toEqual([
      'https://example.openai.azure.com/openai/deployments/a%2Fb/chat/completions?api-version=2025-04-01-preview',
    ])
  })

  it('is sent a token that is asked for anew for each question', async () => {
    const tokens = ['t1', 't2']
    const { model, requests } = opened({ token: async () => tokens.shift() ?? '' })
    await model.answer(QUESTION, { signal })
    await model.answer(QUESTION, { signal })
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer t1', 'Bearer t2'])
  })

  it('that reasons is given room for it, and no temperature', async () => {
    const { model, requests } = opened({ reasons: true })
    await model.answer(QUESTION, { signal })
    const body = (await requests[0]?.json()) as object
    expect(body).toMatchObject({ max_completion_tokens: QUESTION.maxOutputTokens })
    expect('temperature' in body || 'max_tokens' in body).toBe(false)
  })

  it('is not asked without a token: what its giver says is passed on, and what others throw is not', async () => {
    const said = new AmpereError('CONFIGURATION', 'the identity has no token for it')
    const ours = opened({ token: () => Promise.reject(said) })
    await expect(ours.model.answer(QUESTION, { signal })).rejects.toBe(said)
    const others = opened({ token: () => Promise.reject(new Error('SECRET')) })
    const error = await others.model.answer(QUESTION, { signal }).catch((thrown: unknown) => thrown)
    expect(failedAnswer(error)).toMatchObject({ failure: 'unreachable' })
    expect(String(error)).not.toContain('SECRET')
    const odd = opened({ token: async () => 'SECRET\n' })
    await expect(odd.model.answer(QUESTION, { signal })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    expect([ours, others, odd].flatMap(({ requests }) => requests)).toEqual([])
  })

  it('is given up while it waits for a token, which is told of the signal', async () => {
    const stop = new AbortController()
    const told: AbortSignal[] = []
    const { model, requests } = opened({
      token: (given) => {
        told.push(given)
        return new Promise(() => undefined)
      },
    })
    const asking = model.answer(QUESTION, { signal: stop.signal }).catch((error: unknown) => error)
    stop.abort()
    expect(failedAnswer(await asking)).toMatchObject({ failure: 'late' })
    expect({ told, requests }).toEqual({ told: [stop.signal], requests: [] })
  })

  it.each([{ endpoint: 'http://example.openai.azure.com' }, { deployment: '' }, { apiVersion: 'x&y=1' }])(
    'is not opened with %j',
    (options) => {
      expect(() => opened(options)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    },
  )
})
