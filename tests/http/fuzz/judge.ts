// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import * as v from 'valibot'
import { problemAnswer } from '#core/api/answers.ts'
import { PROBLEMS, problemTypeUri } from '#core/api/problems.ts'
import type { ErrorCode } from '#core/errors.ts'
import { homeApp } from '#functions/all.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { problemCodes } from '#functions/host/openapi/document.ts'
import type { Operation } from '#functions/host/operation.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { CANARY } from './mutate.ts'

const operations = Object.values(HOME_OPERATIONS).flat()
const strictProblem = v.strictObject(problemAnswer.entries)

/** A home that judges each of its answers against its own description. */
export interface JudgedHome {
  /** @returns the code of the problem, or the status of a success; `answer` is what was judged */
  readonly fetch: (request: Request) => Promise<{ readonly result: string; readonly answer: Response }>
  /** How often each code and status was answered, by operation id; `-` for what no operation answered. */
  readonly seen: Map<string, number>
}

export async function judgedHome(world: TestDeployment): Promise<JudgedHome> {
  let lines: LogFields[] = []
  const hosting = {
    now: () => world.clock.now,
    random: world.random,
    log: (line: LogFields) => void lines.push(line),
  }
  const { app } = await homeApp(world.platform, world.home, hosting)
  const seen = new Map<string, number>()
  return {
    seen,
    fetch: async (request) => {
      lines = []
      const answer = await app.fetch(request)
      const kept = answer.clone()
      const line = lines.find(({ event }) => event === 'request')
      const operation = operationOf(line, request.method)
      const result = answer.ok
        ? await judgeSuccess(operation, request, answer)
        : await judgeProblem(operation, answer)
      const key = `${operation?.id ?? '-'} ${result}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      return { result, answer: kept }
    },
  }
}

function operationOf(line: LogFields | undefined, method: string): Operation | null {
  const asked = method === 'HEAD' ? 'GET' : method
  return operations.find((one) => one.pattern === line?.route && one.method === asked) ?? null
}

async function judgeSuccess(
  operation: Operation | null,
  request: Request,
  answer: Response,
): Promise<string> {
  if (!operation) {
    expect([request.method, answer.status]).toEqual(['OPTIONS', 204])
    return '204'
  }
  const stated = operation.answers[answer.status as 200]
  expect({ id: operation.id, type: answer.headers.get('content-type') }).toEqual({
    id: operation.id,
    type: stated?.type,
  })
  if (stated?.schema && request.method !== 'HEAD')
    expect({ id: operation.id, fits: v.is(stated.schema, await answer.json()) }).toEqual({
      id: operation.id,
      fits: true,
    })
  return String(answer.status)
}

async function judgeProblem(operation: Operation | null, answer: Response): Promise<string> {
  const refusal = operation?.refusals?.[answer.status as 400]
  if (refusal && answer.headers.get('content-type') === refusal.type) {
    expect(await answer.text()).not.toContain(CANARY)
    return String(answer.status)
  }
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const text = await answer.text()
  expect(text + JSON.stringify([...answer.headers])).not.toContain(CANARY)
  // HEAD has no text; its status is judged by the codes that have it.
  if (text === '') {
    const statuses = operation
      ? problemCodes(operation).map((code) => PROBLEMS[code].status)
      : [404, 405, 414]
    expect(statuses).toContain(answer.status)
    expect(answer.status === 501 || answer.status < 500).toBe(true)
    return String(answer.status)
  }
  const said = v.parse(strictProblem, JSON.parse(text))
  const code = said.code as ErrorCode
  const { status, title, retryable } = PROBLEMS[code]
  expect(said).toMatchObject({ type: problemTypeUri(code), title, status, retryable })
  expect([answer.status, answer.headers.get('x-request-id')]).toEqual([status, said.requestId])
  expect({ code, isOurs: status === 501 || status < 500 }).toEqual({ code, isOurs: true })
  const listed = operation ? problemCodes(operation) : ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'URI_TOO_LONG']
  expect({ id: operation?.id, code, detail: said.detail, listed: listed.includes(code) }).toMatchObject({
    listed: true,
  })
  return code
}
