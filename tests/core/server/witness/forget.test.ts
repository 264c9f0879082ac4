// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { logIdOf, LOGS_PARTITION } from '#core/server/witness/log-row.ts'
import { addLog, forgetCosigned, listLogs } from '#core/server/witness/logs.ts'
import { testLog } from './test-log.ts'
import { testWitness } from './witness.ts'

describe('the logs of a witness', () => {
  it('are kept when what was cosigned is forgotten, as if it had never been, and damaged rows are removed', async () => {
    const [log, second] = [await testLog(1), await testLog(2)]
    const { ports, ask, served } = await testWitness(log)
    await ask(0, 5)
    await addLog(ports, second.origin, second.keys)
    const { witness } = ports.tables
    const row = await witness.get(LOGS_PARTITION, logIdOf(second.origin))
    await witness.swap(LOGS_PARTITION, logIdOf(second.origin), row?.version ?? null, utf8('{}'))
    expect(await forgetCosigned(ports)).toBe(1)
    const listed = await listLogs(ports)
    expect(listed.map(({ origin, cosigned }) => [origin, cosigned])).toEqual([[log.origin, null]])
    expect(await served()).toBe(0)
    expect((await ask(0, 3)).status).toBe(200)
    expect(await served()).toBe(3)
  })
})
