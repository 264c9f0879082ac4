// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Example } from '#functions/host/openapi/document.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { ask } from './ask.ts'
import { converse, headOf, type Exchange } from './conversation.ts'
import * as reads from '#functions/reader/operations.ts'
import { appendBlock } from '#functions/writer/operations.ts'

/** The examples of the OpenAPI document: what a home really answered, by operation id, and one problem. */
export async function recordExamples(): Promise<Readonly<Record<string, unknown>>> {
  const { world, exchanges } = await converse()
  const examples: Record<string, Example> = {}
  for (const exchange of exchanges) {
    const { id } = exchange.operation
    const before = examples[id] ?? {
      path: exchange.asking.path ?? {},
      query: exchange.asking.query ?? {},
      answers: {},
    }
    examples[id] = {
      ...before,
      ...requestIn(exchange),
      answers: { ...answerIn(exchange), ...before.answers },
    }
  }
  await recordWaiting(world, examples[appendBlock.id], exchanges)
  const unknown = await ask(world, reads.readHead, { path: { chain: 'A'.repeat(43) } })
  return { ...examples, problem: await unknown.json() }
}

/** An append that waits in vain: too slow for a conversation that tests repeat. */
async function recordWaiting(
  world: TestDeployment,
  example: Example | undefined,
  exchanges: readonly Exchange[],
): Promise<void> {
  const body = exchanges.find(({ operation }) => operation === appendBlock)?.asking.body
  if (!example || !body) throw new RangeError('nothing was appended')
  const answer = await ask(world, appendBlock, { query: { wait: 'witnessed' }, body })
  Object.assign(example.answers, { [answer.status]: await answer.json() })
}

function requestIn({ operation, asking }: Exchange): { readonly request?: unknown } {
  if (!operation.body || !asking.body) return {}
  if (operation.id === appendBlock.id) return { request: headOf(asking.body) }
  const text = fromUtf8(asking.body)
  return { request: operation.body.json ? (JSON.parse(text) as unknown) : text }
}

function answerIn({ operation, status, type, body }: Exchange): Readonly<Record<string, unknown>> {
  if (!/\bjson\b/.test(type)) return {}
  const answer = JSON.parse(fromUtf8(body)) as Readonly<Record<string, unknown>>
  // The document is not its own example: it would hold itself.
  return { [status]: operation.id === 'readDescription' ? { openapi: answer['openapi'] } : answer }
}
