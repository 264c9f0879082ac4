// SPDX-License-Identifier: Apache-2.0
import { parseBlock } from '#core/block/open-block.ts'
import type { Append } from '#core/api/append.ts'
import { encodeAppend } from '#core/api/append.ts'
import type { JobAnswer } from '#core/api/large/job.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { readJob } from '#functions/worker/operations.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { ask, type Asking } from '#tests/http/ask.ts'

export const PREFER = { prefer: 'respond-async' }

/** Asks a home to append what was uploaded, as a job. */
export function appendAsJob(world: TestDeployment, append: Append, upload: string): Promise<Response> {
  const body = encodeAppend({ ...append, object: null, upload })
  return ask(world, appendBlock, { body, headers: PREFER })
}

/** How to ask for the job to which an answer leads. */
export function jobOf(answer: Response): Asking {
  const location = new URL(answer.headers.get('location') ?? '/', 'http://home.test')
  const id = location.pathname.split('/').at(-1) ?? ''
  return { path: { id }, query: Object.fromEntries(location.searchParams) }
}

/** Asks for a job until it is over; nobody waits for more than so many answers. */
export async function untilOver(world: TestDeployment, asking: Asking, answers = 50): Promise<JobAnswer> {
  for (let i = 0; i < answers; i++) {
    const answer = await ask(world, readJob, asking)
    if (answer.status === 200) return (await answer.json()) as JobAnswer
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
    world.clock.now += 1000 * Number(answer.headers.get('retry-after'))
  }
  throw new Error('the job does not end')
}

/** Another process of the same home. */
export async function anotherProcess(world: TestDeployment) {
  const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
  const { app, doJobs } = await homeApp(world.platform, world.home, hosting)
  return { ...world, fetch: async (request: Request) => app.fetch(request), doJobs }
}

/** Heights of the blocks of a chain that bring the entries of an append: one, when it was appended once. */
export async function heightsOf(world: TestDeployment, { block }: Append): Promise<readonly number[]> {
  const { chain, block: sent } = parseBlock(block)
  const rows = await world.platform.table('blocks').range(chain)
  return rows.flatMap(({ value }) => {
    const { block: stored } = parseBlock(new TextDecoder().decode(value))
    return stored.entries?.root === sent.entries?.root ? [stored.height] : []
  })
}
