// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto'
import type { Received } from './fake-server.ts'

/** An answer that a fake gives, in words that no provider has of its own. */
export interface Said {
  /** What the model wrote, as it is: JSON or not. */
  readonly text: string
  readonly end: 'whole' | 'cut' | 'filtered'
  readonly usage?: { readonly input: unknown; readonly output: unknown }
  readonly model?: string
}

/** What a server of the kind understands of a request; written from the provider's description, not from the adapter. */
export interface Understood {
  readonly isAuthorized: boolean
  readonly model: unknown
  readonly instructions: unknown
  readonly input: unknown
  readonly schema: unknown
  readonly schemaName: unknown
  readonly maxOutputTokens: unknown
  readonly temperature: unknown
}

/** How one kind of server speaks. */
export interface FakeDialect {
  readonly answer: (said: Said) => string
  readonly understand: (received: Received) => Understood
  /** Refusals by words of its own: with which status, and what they say. */
  readonly filtered: { readonly status: number; readonly body: string }
  readonly tooLong: { readonly status: number; readonly body: string }
}

/** A refusal that repeats what it was asked, as servers do. */
function refusal(error: object): string {
  return JSON.stringify({ error: { message: 'MARK-ANSWER repeats MARK-INPUT', ...error } })
}

const FINISH = { whole: 'stop', cut: 'length', filtered: 'content_filter' } as const

/** OpenAI's chat completions: platform.openai.com/docs/api-reference/chat/create. */
export function fakeOpenAi(key: string): FakeDialect {
  return {
    answer: ({ text, end, usage = { input: 11, output: 7 }, model = 'fake-1' }) =>
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model,
        system_fingerprint: 'fp_1',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: text, refusal: null },
            logprobs: null,
            finish_reason: FINISH[end],
          },
        ],
        usage: { prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: 18 },
      }),
    understand: ({ method, target, headers, body }) => {
      const isAuthorized = headers.authorization === `Bearer ${key}` && method === 'POST'
      return { ...understoodChat(body), isAuthorized: isAuthorized && target === '/v1/chat/completions' }
    },
    filtered: {
      status: 400,
      body: refusal({ type: 'invalid_request_error', code: 'content_policy_violation' }),
    },
    tooLong: {
      status: 400,
      body: refusal({ type: 'invalid_request_error', code: 'context_length_exceeded' }),
    },
  }
}

/** Azure OpenAI, api-version 2024-10-21: the same but for address, token, and what its filters say. */
export function fakeAzureOpenAi(token: string): FakeDialect {
  return {
    ...fakeOpenAi(token),
    answer: (said) => {
      const completion = JSON.parse(fakeOpenAi(token).answer(said))
      completion.choices[0].content_filter_results = { hate: { filtered: false, severity: 'safe' } }
      return JSON.stringify({ ...completion, prompt_filter_results: [{ prompt_index: 0 }] })
    },
    understand: ({ method, target, headers, body }) => {
      const isAuthorized = headers.authorization === `Bearer ${token}` && method === 'POST'
      const path = /^\/openai\/deployments\/([^/]+)\/chat\/completions\?api-version=2024-10-21$/.exec(target)
      const model = path?.[1] ?? null
      return { ...understoodChat(body), model, isAuthorized: isAuthorized && path !== null }
    },
    filtered: {
      status: 400,
      body: refusal({ code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    },
  }
}

/** What chat completions take, and nothing that they do not: a member of another name would be refused or ignored. */
function understoodChat(body: string): Omit<Understood, 'isAuthorized'> {
  const { model, messages, response_format: format, max_tokens, temperature, ...unknown } = JSON.parse(body)
  if (Object.keys(unknown).length > 0) throw new Error('unknown member')
  const [system, user, ...others] = messages
  if (others.length > 0 || system.role !== 'system' || user.role !== 'user') throw new Error('other messages')
  if (format.type !== 'json_schema' || format.json_schema.strict !== true) throw new Error('not held to it')
  return {
    model,
    instructions: system.content,
    input: user.content,
    schema: format.json_schema.schema,
    schemaName: format.json_schema.name,
    maxOutputTokens: max_tokens,
    temperature,
  }
}

const STOP = { whole: 'tool_use', cut: 'max_tokens', filtered: 'content_filtered' } as const

/** Whom a fake of Bedrock knows. */
export interface FakeAwsKey {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Converse of Amazon Bedrock: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. */
export function fakeBedrock(key: FakeAwsKey): FakeDialect {
  return {
    answer: ({ text, end, usage = { input: 11, output: 7 } }) => {
      const isTool = isObject(text)
      // Text, not values: numbers arrive as the model wrote them.
      const block = isTool
        ? `{"toolUse":{"toolUseId":"t1","name":"verdict","input":${text}}}`
        : `{"text":${JSON.stringify(text)}}`
      const stop = end === 'whole' && !isTool ? 'end_turn' : STOP[end]
      const counted = { inputTokens: usage.input, outputTokens: usage.output, totalTokens: 18 }
      return `{"output":{"message":{"role":"assistant","content":[${block}]}},"stopReason":"${stop}",
        "usage":${JSON.stringify(counted)},"metrics":{"latencyMs":5}}`
    },
    understand: (received) => {
      const { system, messages, inferenceConfig, toolConfig, ...unknown } = JSON.parse(received.body)
      if (Object.keys(unknown).length > 0) throw new Error('unknown member')
      const { name, inputSchema } = toolConfig.tools[0].toolSpec
      const isForced = toolConfig.toolChoice.tool.name === name && toolConfig.tools.length === 1
      const model = /^\/model\/([^/]+)\/converse$/.exec(received.target)?.[1] ?? ''
      return {
        isAuthorized: isForced && received.method === 'POST' && isSigned(received, key),
        model: decodeURIComponent(model),
        instructions: system[0].text,
        input: messages[0].content[0].text,
        schema: inputSchema.json,
        schemaName: name,
        maxOutputTokens: inferenceConfig.maxTokens,
        temperature: inferenceConfig.temperature,
      }
    },
    // Bedrock's guardrails speak in an answer, not in an error.
    filtered: { status: 200, body: fakeStopped('guardrail_intervened') },
    tooLong: {
      status: 400,
      body: JSON.stringify({ message: 'MARK-ANSWER Input is too long for requested model.' }),
    },
  }
}

function fakeStopped(stopReason: string): string {
  return JSON.stringify({
    output: { message: { role: 'assistant', content: [{ text: 'MARK-ANSWER' }] } },
    stopReason,
    usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
  })
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Signature Version 4 over what was received: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
function isSigned({ method, target, headers, body }: Received, key: FakeAwsKey): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const [, id, day = '', region = '', signed = '', signature] =
    pattern.exec(headers.authorization ?? '') ?? []
  const names = signed.split(';')
  if (id !== key.accessKeyId || region !== key.region || !names.includes('host')) return false
  const canonical = [
    method,
    target.split('/').map(encodeURIComponent).join('/'),
    '',
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    sha256(body),
  ].join('\n')
  const scope = `${day}/${region}/bedrock/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const signing = [day, region, 'bedrock', 'aws4_request'].reduce(
    (secret: Buffer | string, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  )
  return hmac(signing, toSign).toString('hex') === signature
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
