// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { AzureCall } from '#adapters/azure/open.ts'
import { ORIGIN, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { azureStack, type Stack } from './stack.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** Everything that a home does, with all its roles in one process, over the adapter. */
describe('a home on Azure', () => {
  const clock = { now: START_MS }
  const calls: AzureCall[] = []
  const made: { stack?: Stack; platform?: Platform; world?: TestDeployment } = {}
  const world = () => {
    if (!made.world) throw new Error('the home is not there')
    return made.world
  }

  beforeAll(async () => {
    made.stack = await azureStack()
    made.platform = made.stack.open({ now: () => clock.now, observe: (call) => calls.push(call) })
    made.world = await testDeployment(['hospital-a', 'hospital-b'], { base: made.platform, clock })
  })
  afterAll(async () => {
    await made.platform?.close()
    await made.stack?.close()
  })

  /** What was asked of Azure while `act` ran: the end of each action, and of what it was asked, sorted. */
  const counted = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    calls.length = 0
    await act()
    const last = (path: string, parts: number) => path.split('/').slice(-parts).join('/')
    const name = (resource: string) => last(resource, 1).replace(made.stack?.naming.blobPrefix ?? '', '')
    return calls.map(({ operation, resource }) => `${last(operation, 2)} ${name(resource)}`).toSorted()
  }

  it('writes, logs, gives receipts, erases after 72 hours, and passes its audit', async () => {
    const a = world().connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    await a.append(record, [entry('one')])
    await a.append(record, [entry('two'), entry('x'.repeat(300_000))])
    await world().tendLog()
    const { head, notes } = await a.replica(record)
    const receipt = await a.api.receipt(record, notes.at(-1)?.id ?? head.block, head.height)
    expect(receipt).toMatch(/^c2sp\.org\/tlog-proof@v1\n/)
    const { instance, second } = world().institution('hospital-a')
    const entries = (await a.read(record)).opened.slice(0, 1)
    const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
    await requestErasure(a, record, what, { instances: [instance, second] })
    clock.now += 73 * 3_600_000
    const [step] = (await a.replica(record)).link.state.pending
    await settleErasure(a, record, step?.height ?? -1, 'complete')
    const view = await world().connect('hospital-a').read(record)
    expect(view.opened.map(({ content }) => content.length)).toEqual([3, 300_000])
    expect(view.closed.map(({ status }) => status)).toEqual(['erased'])
    await world().tendLog()
    const ports = await select(world().platform, AUDITOR_NEEDS)
    expect((await auditChains(ports, world().home, listChains(ports))).findings).toEqual([])
  }, 300_000)

  /** What each request that an institution sends asks of Azure. */
  const perRequest = () => {
    const requests: { readonly request: string; readonly asked: readonly string[] }[] = []
    const connection = world().connect('hospital-a', {
      fetch: async (request) => {
        const answer: { response?: Response } = {}
        const asked = await counted(async () => (answer.response = await world().fetch(request)))
        const path = new URL(request.url).pathname.replaceAll(/[A-Za-z0-9_-]{43}/g, 'ID')
        requests.push({ request: `${request.method} ${path}`, asked })
        if (!answer.response) throw new Error('no answer')
        return answer.response
      },
    })
    return { connection, requests }
  }

  it('asks for an append three times to read and four to write, one more where the state changes, and never the vault', async () => {
    const { connection: a, requests } = perRequest()
    const { record } = await createRecord(a, HOME, ['general'])
    // The first block of a day leases a part of the grant's limits, which the next ones use up.
    await a.append(record, [entry('first')])
    requests.length = 0
    const appended = () => requests.splice(0).filter(({ request }) => request === 'POST /v1/blocks')
    await a.append(record, [entry('second')])
    const reads = ['containers/executeQuery blocks', 'containers/executeQuery registry']
    const early = appended()
    expect(early.map(({ asked }) => asked)).toEqual([
      [
        'blobs/write entries',
        ...reads,
        'items/create blocks',
        'items/create dirty',
        'items/create wraps',
        'items/read states',
      ],
    ])
    for (let i = 0; i < 5; i++) await a.append(record, [entry('more')])
    appended()
    await a.append(record, [entry('last')])
    expect(appended()).toEqual(early)
    await changeChain(a, record, { hold: true })
    expect(appended().map(({ asked }) => asked)).toEqual([
      [...reads, 'items/create blocks', 'items/create dirty', 'items/create states', 'items/read states'],
    ])
  })
})
