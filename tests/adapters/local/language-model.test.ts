// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { localLanguageModel, type LocalModelOptions } from '#adapters/local/language-model.ts'
import { failedAnswer } from '#core/ports/language-model.ts'
import { QUESTION } from '#tests/contract/model/cases.ts'
import { fakeOpenAi } from '#tests/contract/model/fake-dialects.ts'

const OPTIONS: LocalModelOptions = { baseUrl: 'http://127.0.0.1:8080/v1', model: 'fake-1', key: null }
const WHOLE = fakeOpenAi('').answer({ text: '{"verdict":"consistent"}', end: 'whole' })
const { signal } = new AbortController()

/** A model whose server answers everything with `body`, and what it was asked. */
function answering(body: string, options: Partial<LocalModelOptions> = {}) {
  const requests: Request[] = []
  const fetch = async (request: Request) => {
    requests.push(request)
    return new Response(body)
  }
  return { model: localLanguageModel(fetch, { ...OPTIONS, ...options }), requests }
}

async function askedBy(options: Partial<LocalModelOptions>) {
  const { model, requests } = answering(WHOLE, options)
  await model.answer(QUESTION, { signal })
  return { headers: requests[0]?.headers, body: await requests[0]?.json() }
}

/** WHOLE with some of its members changed. */
function changed(members: object): string {
  return JSON.stringify({ ...JSON.parse(WHOLE), ...members })
}

describe('the model of an OpenAI-compatible server', () => {
  it('is sent a key only where there is one', async () => {
    expect((await askedBy({})).headers?.has('authorization')).toBe(false)
    expect((await askedBy({ key: 'k1' })).headers?.get('authorization')).toBe('Bearer k1')
  })

  it('that reasons is given room for it, and no temperature', async () => {
    const { body } = await askedBy({ reasons: true })
    expect(body).toMatchObject({ max_completion_tokens: QUESTION.maxOutputTokens })
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['temperature']))
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['max_tokens']))
  })

  it('that cannot be held to a schema is told it behind the instructions', async () => {
    const { body } = await askedBy({ format: 'json_object' })
    expect(body.response_format).toEqual({ type: 'json_object' })
    const [, told] = body.messages[0].content.split(/^MARK-INSTRUCTIONS.*\n\n.*JSON Schema:\n/)
    expect(JSON.parse(told)).toEqual(QUESTION.schema)
    expect(body.messages[1].content).toBe(QUESTION.input)
  })

  it('is external unless it is asked on this machine', () => {
    expect(localLanguageModel(fetch, OPTIONS).isExternal).toBe(false)
    expect(localLanguageModel(fetch, { ...OPTIONS, baseUrl: 'https://api.example.org/v1' }).isExternal).toBe(
      true,
    )
  })

  it.each([
    ['names both', { model: 'gpt-9-2031-01-01', system_fingerprint: 'fp_7' }, 'gpt-9-2031-01-01', 'fp_7'],
    ['names neither', { model: undefined, system_fingerprint: undefined }, 'fake-1', null],
    ['gives no name', { model: 7, system_fingerprint: {} }, 'fake-1', null],
    ['writes a page', { model: 'a'.repeat(257), system_fingerprint: 'x\u001b[2J' }, 'fake-1', null],
  ])('has the name and build that the server gives: it %s', async (_, members, model, build) => {
    const answer = await answering(changed(members)).model.answer(QUESTION, { signal })
    expect(answer).toMatchObject({ model, build })
  })

  it.each([
    [
      'refuses beside an answer',
      [{ finish_reason: 'stop', message: { content: '{}', refusal: 'no' } }],
      'refused',
    ],
    ['is filtered without a message', [{ finish_reason: 'content_filter' }], 'refused'],
    ['gives no content', [{ finish_reason: 'stop', message: { content: null } }], 'malformed'],
    ['gives parts', [{ finish_reason: 'stop', message: { content: [{ text: '{}' }] } }], 'malformed'],
    ['calls a tool', [{ finish_reason: 'tool_calls', message: { content: '{}' } }], 'malformed'],
    ['does not say why it stopped', [{ message: { content: '{}' } }], 'malformed'],
    ['says nothing', [], 'malformed'],
    ['gives no list', 'none', 'malformed'],
    [
      'gives a choice',
      [1, 2].map(() => ({ finish_reason: 'stop', message: { content: '{}' } })),
      'malformed',
    ],
  ])('has not answered where it %s', async (_, choices, failure) => {
    const asking = answering(changed({ choices })).model.answer(QUESTION, { signal })
    const why = failedAnswer(await asking.catch((error: unknown) => error))
    expect(why).toMatchObject({ failure, usage: { inputTokens: 11, outputTokens: 7 } })
  })
})
