// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Connection } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Platform } from '#core/ports/needs.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { entry, findings, HOME } from '#tests/fault/each-call.ts'
import { describeOn, makeStack, type Stack } from './stack.ts'

const HOUR_MS = 3_600_000
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describeOn('MiniStack', 'a whole home', () => {
  const held: {
    world?: TestDeployment
    platform?: Platform
    connection?: Connection
    record?: ChainId
    stack?: Stack
  } = {}
  const calls: AwsCall[] = []
  beforeAll(async () => {
    const stack = await makeStack('MiniStack')
    const clock = { now: START_MS }
    const platform = stack.open({ now: () => clock.now, observe: (call) => void calls.push(call) })
    const world = await testDeployment(['hospital-a', 'hospital-b'], { clock, base: platform })
    const connection = world.connect('hospital-a')
    const { record } = await createRecord(connection, HOME, ['general'])
    Object.assign(held, { world, platform, connection, record, stack })
  })
  afterAll(async () => held.platform?.close())
  const home = () => held as Required<typeof held>

  it('keeps, logs, proves and erases a record', async () => {
    const { world, record, platform } = home()
    // Whom a reader trusts who knows the keys of the log, and no witness.
    const keys = (await logKeysOf(platform)).map(formatVerifierKey)
    const policy = parsePolicy([...keys.map((key) => `log ${key}\n`), 'quorum none\n'].join(''))
    const connection = world.connect('hospital-a', { policy })
    await connection.append(record, [entry('one')])
    await connection.append(record, [entry('two')])
    await world.tendLog()
    const newcomer = world.connect('hospital-a', { policy })
    const view = await newcomer.read(record)
    expect(view.opened.map(({ content }) => text(content))).toEqual(['one', 'two'])
    const receipts = await readReceipts(newcomer, await newcomer.replica(record))
    expect([receipts?.statuses, receipts?.problems]).toEqual([
      Array.from({ length: view.height + 1 }, () => 'logged'),
      [],
    ])
    const { problems } = await verifyExport(await exportRecord(newcomer, record), {
      registry: world.registryId,
      policy,
    })
    expect(problems).toEqual([])
    await eraseFirst(world, connection, record)
    const after = await world.connect('hospital-a').read(record)
    expect(after.opened.map(({ content }) => text(content))).toEqual(['two'])
    expect(after.closed.map(({ status }) => status)).toEqual(['erased'])
    await world.tendLog()
    expect(await findings(world)).toEqual([])
  })

  /** What the home asks of AWS to answer the first request that appends a block, by action. */
  const costOf = async (act: (connection: Connection) => Promise<unknown>) => {
    const { world } = home()
    const counts: Record<string, number> = {}
    const connection = world.connect('hospital-a', {
      fetch: async (request) => {
        const before = calls.length
        const response = await world.fetch(request)
        if (request.method === 'POST' && new URL(request.url).pathname === '/v1/blocks')
          for (const { operation } of calls.slice(before)) counts[operation] = (counts[operation] ?? 0) + 1
        return response
      },
    })
    await act(connection)
    return counts
  }

  it('takes 3 reads and 4 writes for an append, and no key of KMS, at every height', async () => {
    const { connection, record } = home()
    const early = await costOf((by) => by.append(record, [entry('early')]))
    for (let i = 0; i < 20; i++) await connection.append(record, [entry('between')])
    expect(await costOf((by) => by.append(record, [entry('late')]))).toEqual(early)
    expect(early).toEqual({
      'dynamodb:Query': 2,
      'dynamodb:GetItem': 1,
      'dynamodb:PutItem': 3,
      's3:PutObject': 1,
    })
  })

  it('takes one write more for what changes the control state, beside those of its entries', async () => {
    const { record } = home()
    expect(await costOf((by) => changeChain(by, record, { hold: true }))).toEqual({
      'dynamodb:Query': 2,
      'dynamodb:GetItem': 1,
      'dynamodb:PutItem': 3,
    })
  })

  it('is the same home when it is opened anew by a role that makes no keys', async () => {
    const { stack, platform } = home()
    const again = stack.open({ makesKeys: false })
    for (const name of ['head', 'log', 'log-quantum', 'witness', 'witness-quantum'] as const)
      expect((await again.signer(name)).kid).toBe((await platform.signer(name)).kid)
    await again.close()
  })
})

/** Erases the first entry of a record, by its author and the second instance of its institution. */
async function eraseFirst(world: TestDeployment, connection: Connection, record: ChainId): Promise<void> {
  const { instance, second } = world.institution('hospital-a')
  const { opened } = await connection.read(record)
  const what = { scope: 'entries', entries: opened.slice(0, 1), ground: 'misfiled' } as const
  await requestErasure(connection, record, what, { instances: [instance, second] })
  world.clock.now += 73 * HOUR_MS
  const [step] = (await connection.replica(record)).link.state.pending
  await settleErasure(connection, record, step?.height ?? -1, 'complete')
}
