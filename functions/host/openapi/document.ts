// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { LIMITS } from '#core/api/limits.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { AUTH_SCHEME } from '#core/api/request.ts'
import type { ErrorCode } from '#core/errors.ts'
import examples from '../examples.json' with { type: 'json' }
import { componentSchemas, jsonSchemaOf, parameterSchemaOf } from './json-schema.ts'
import { COMMON_PROBLEMS, type Answer, type Body, type Operation } from '../operation.ts'
import { PROBLEM_TYPE } from '../problem.ts'

/** Version of the described interface: that of the software. */
export const API_VERSION = '0.1.0'

/** One recorded exchange with a home: what was asked and what it answered. */
export interface Example {
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, number | string>>
  readonly request?: unknown
  readonly answers: Readonly<Record<string, unknown>>
}

/** Recorded by `npm run docs -- --record`: by operation id, and one problem document. */
export const EXAMPLES = examples as unknown as Readonly<Record<string, Example | undefined>> & {
  readonly problem: object
}

const ABOUT = `Stores, orders and serves sealed chains; it holds no key that opens them. docs/PROTOCOL.md says what
the formats mean.

- HEAD is answered wherever GET is, OPTIONS with \`Allow\`, other methods with 405. No other origin is let in (no CORS).
- Under /v1 unknown and repeated query parameters and unknown members of requests are refused.
- Errors are RFC 9457 problem documents: branch on \`code\`. None repeats what was sent.
- Answers may gain members; requests may not.
- Bodies may be chunked; a content encoding is refused.`

/** The OpenAPI 3.1 document of the given operations by role. It names no origin, so it is the same everywhere. */
export function openApiDocument(operations: Readonly<Record<string, readonly Operation[]>>): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [role, list] of Object.entries(operations)) {
    for (const operation of list) {
      const path = (paths[openApiPath(operation.pattern)] ??= {})
      path[operation.method.toLowerCase()] = describe(role, operation)
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Ampere home',
      summary: 'A sealed, signed medical-record chain per patient.',
      description: ABOUT,
      version: API_VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.keys(operations).flatMap((name) => (operations[name]?.length ? [{ name }] : [])),
    paths,
    components: {
      schemas: withProblemExample(componentSchemas()),
      headers: {
        RequestId: { description: 'Finds the request in the log of the home.', schema: { type: 'string' } },
      },
      securitySchemes: { signedRequest: SIGNED_REQUEST },
    },
    'x-ampere-limits': LIMITS,
  }
}

const SIGNED_REQUEST = {
  type: 'http',
  scheme: AUTH_SCHEME,
  description: `\`Authorization: ${AUTH_SCHEME} JWS\`: a compact JWS of type ampere-request+jws with the payload SignedRequest, signed by the app instance or device. It is for one origin, method, target (path and query) and body, and for ${LIMITS.requestToleranceMs.value / 1000} s; HEAD is signed as GET.`,
}

/** Hono's pattern as an OpenAPI path. */
export function openApiPath(pattern: string): string {
  return pattern.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')
}

/** Every code that an operation gives. */
export function problemCodes(operation: Operation): readonly ErrorCode[] {
  return [...new Set([...operation.problems, ...COMMON_PROBLEMS])].toSorted()
}

function describe(role: string, operation: Operation): object {
  const example = EXAMPLES[operation.id]
  const codes = problemCodes(operation)
  const limits = operation.limits.map((name) => `${name} ${LIMITS[name].value} (${LIMITS[name].means})`)
  const text = [
    operation.does,
    `Who: ${operation.who}`,
    limits.length > 0 ? `Limits: ${limits.join('; ')}.` : 'Limits: none of its own.',
    operation.notes,
  ]
  return {
    operationId: operation.id,
    tags: [role],
    summary: operation.does,
    description: text.filter((part) => part !== undefined).join('\n\n'),
    security: operation.signed ? [{ signedRequest: [] }] : [],
    parameters: parametersOf(operation, example),
    ...(operation.body ? { requestBody: requestBodyOf(operation.body, example) } : {}),
    responses: responsesOf(operation, codes, example),
    'x-ampere-limits': Object.fromEntries(operation.limits.map((name) => [name, LIMITS[name].value])),
    'x-ampere-problems': codes,
  }
}

function parametersOf(operation: Operation, example: Example | undefined): object[] {
  const path = Object.entries(operation.path).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: jsonSchemaOf(schema),
    ...given(example?.path[name]),
  }))
  const query = Object.entries(operation.query).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !v.safeParse(schema, undefined).success,
    schema: querySchema(schema),
    ...given(example?.query[name]),
  }))
  const headers = Object.entries(operation.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }))
  return [...path, ...query, ...headers]
}

/** The schema of the value that the text of a parameter stands for, with its default. */
function querySchema(schema: v.GenericSchema): object {
  const inner = (schema as { wrapped?: v.GenericSchema }).wrapped ?? schema
  const fallback = v.safeParse(schema, undefined)
  const hasFallback = fallback.success && fallback.output !== undefined
  return {
    ...parameterSchemaOf(inner),
    ...(hasFallback ? { default: fallback.output } : {}),
  }
}

function requestBodyOf(body: Body, example: Example | undefined): object {
  const schema = { contentMediaType: body.type, description: body.does }
  const json = body.json ? { schema: jsonSchemaOf(body.json), ...given(example?.request) } : null
  const text = body.json ? {} : given(example?.request)
  return {
    description: body.does,
    required: true,
    content: { [body.type]: { schema, ...text, ...(json ? { 'x-ampere-json': json } : {}) } },
  }
}

interface DescribedAnswer {
  readonly description: string
  readonly headers: object
  readonly content: object
}

function responsesOf(
  operation: Operation,
  codes: readonly ErrorCode[],
  example: Example | undefined,
): Record<string, DescribedAnswer> {
  const stated = Object.entries({ ...operation.answers, ...operation.refusals })
  const answers = stated.map(
    ([status, answer]) => [status, answerOf(answer, example?.answers[status])] as const,
  )
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].toSorted((a, b) => a - b)
  const problems = statuses.map((status) => {
    const here = codes.filter((code) => PROBLEMS[code].status === status)
    return [String(status), problemOf(here, status)] as const
  })
  const responses: Record<string, DescribedAnswer> = {}
  for (const [status, response] of [...answers, ...problems])
    responses[status] = either(responses[status], response)
  return responses
}

/** One status that is answered in two forms. */
function either(first: DescribedAnswer | undefined, second: DescribedAnswer): DescribedAnswer {
  if (!first) return second
  return {
    description: `${first.description} ${second.description}`,
    headers: { ...first.headers, ...second.headers },
    content: { ...first.content, ...second.content },
  }
}

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }

function headersOf(stated: Readonly<Record<string, string>> = {}): object {
  const described = Object.entries(stated).map(
    ([name, description]) => [name, { description, schema: { type: 'string' } }] as const,
  )
  return { ...REQUEST_ID, ...Object.fromEntries(described) }
}

function answerOf(answer: Answer, example: unknown): DescribedAnswer {
  const schema = answer.schema ? jsonSchemaOf(answer.schema) : { contentMediaType: answer.type }
  return {
    description: answer.does,
    headers: headersOf(answer.headers),
    content: { [answer.type]: { schema, ...given(example) } },
  }
}

/** Headers of problems by status, beside the request id. */
const PROBLEM_HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'The scheme that is wanted.' },
  415: { Accept: 'The content type that is wanted.', 'Accept-Encoding': 'identity' },
  429: {
    'Retry-After': 'Seconds after which to try again.',
    'RateLimit-Policy': 'The limit: its quota, unit and window.',
    RateLimit: 'What is left of it, and when it is whole again.',
  },
  503: { 'Retry-After': 'Seconds after which to try again.' },
}

function problemOf(codes: readonly ErrorCode[], status: number): DescribedAnswer {
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }],
  }
  return {
    description: codes.map((code) => `${code}: ${PROBLEMS[code].title}.`).join(' '),
    headers: headersOf(PROBLEM_HEADERS[status]),
    content: { [PROBLEM_TYPE]: { schema } },
  }
}

function withProblemExample(schemas: ReturnType<typeof componentSchemas>): object {
  return { ...schemas, Problem: { ...schemas['Problem'], examples: [EXAMPLES.problem] } }
}

function given(example: unknown): { readonly example?: unknown } {
  return example === undefined ? {} : { example }
}
