// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { withAlarms } from '#cli/commands/deployment/alarms.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import { MONITOR_NEEDS } from '#core/server/monitor/needs.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { createWatching } from '#functions/monitor/watching.ts'
import { scene } from '#tests/core/server/monitor/scene.ts'

it('says what speaks against a log once, until it changes, and once that it ended', async () => {
  const { log: served, monitor } = await scene()
  const [told, said]: [LogFields[], string[]] = [[], []]
  const log = withAlarms(
    (fields) => told.push(fields),
    (line) => said.push(line),
  )
  const ports = { ...(await select(monitor.platform, MONITOR_NEEDS)), fetch: served.fetch }
  const deadline = () => new AbortController().signal
  const watch = createWatching(
    ports,
    { verifiers: createVerifiers(), deadline },
    () => [monitor.watched],
    log,
  )
  const events = () => told.map(({ event }) => event)
  await served.grow(5)
  for (let looks = 0; looks < 3; looks++) await watch()
  expect(events()).toEqual(['monitor-finding-rollback'])
  await served.grow(7, { forkAt: 3 })
  for (let looks = 0; looks < 2; looks++) await watch()
  await served.grow(8)
  await watch()
  expect(events()).toEqual([
    'monitor-finding-rollback',
    'monitor-finding-same-size',
    'monitor-finding-rollback-ended',
    'monitored',
    'monitor-finding-same-size-ended',
  ])
  expect(said).toEqual([
    expect.stringMatching(/does not verify \(rollback\).*Next: npx ampere monitor status$/),
    expect.stringMatching(/does not verify \(same-size\)/),
    expect.stringMatching(/\(rollback\)\.$/),
    expect.stringMatching(/^Nothing speaks.*\(same-size\)\.$/),
  ])
})
