// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy } from '#core/log/policy/policy.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { logKeysOf, makeWitness, witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const HOUR_MS = 3_600_000

/**
 * What a reader finds in a record with an erasure that waited, after its home asked another witness.
 * @param isKept whether the earlier one still counts, so that either is enough
 */
async function afterChange(isKept: boolean): Promise<readonly string[]> {
  const { world, policy, clock, between, base } = await witnessedWorld(['w1'], 1)
  const a = world.connect('hospital-a', { policy })
  const { record } = await createRecord(a, HOME, ['general'])
  const entries = await a.append(record, [
    { header: utf8('{}'), content: utf8('one'), compartment: 'general' },
  ])
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'entries', entries, ground: 'misfiled' } as const
  const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
  await world.tendLog()
  clock.now += 73 * HOUR_MS
  await settleErasure(a, record, block.height, 'complete')
  await world.tendLog()
  clock.now += 24 * HOUR_MS
  const logKeys = (await logKeysOf(base)).map(formatVerifierKey)
  const { keys, app } = await makeWitness('http://w2.test', logKeys, clock, 60)
  between.set('http://w2.test', app)
  between.delete('http://w1.test')
  const changed = parsePolicy(
    [
      ...(isKept
        ? formatPolicy(policy)
            .replace(/group quorum[^]*/, '')
            .trimEnd()
            .split('\n')
        : logKeys.map((key) => `log ${key}`)),
      ...keys.map((key, i) => `witness w2-${i} ${formatVerifierKey(key)} http://w2.test/witness`),
      'group w2 all w2-0 w2-1',
      isKept ? 'group witnesses any w1 w2' : 'group witnesses any w2',
      'quorum witnesses',
      '',
    ].join('\n'),
  )
  const ports = { now: () => clock.now, random: world.random, log: silentLog }
  const pause = async (ms: number) => void (clock.now += ms)
  const home = await homeApp(base, world.home, ports, { policy: changed, pause })
  await home.tendLog()
  const fetch = async (request: Request) => home.app.fetch(request)
  const reader = world.connect('hospital-a', { policy: changed, fetch })
  const view = await readReceipts(reader, await reader.replica(record))
  expect(new Set(view?.statuses)).toEqual(new Set(['witnessed']))
  return view?.problems.map(({ height, rule, detail }) => `${height} ${rule}: ${detail}`) ?? []
}

describe('a completed erasure whose home asks another witness', () => {
  it('is unseen by the new one, which saw request and completion at once: so would be one that did not wait', async () => {
    expect(await afterChange(false)).toEqual([
      '4 delay-unseen: witnesses saw it 0 minutes after its request, which had to wait 4320',
    ])
  })

  it('stays right while the earlier one counts beside the new one, though it is asked in vain', async () => {
    expect(await afterChange(true)).toEqual([])
  })
})
