// SPDX-License-Identifier: Apache-2.0
import { formatVerifierKey } from '#core/log/note/key.ts'
import { targetOf } from '../../cloud/target.ts'
import { pinnedMonitors } from '../../monitor/asked.ts'
import { readWatched } from '../../monitor/watched.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'

/** Lists the logs that this home monitors, and the monitors that are asked about its own records. */
export async function listMonitored(call: Call<CloudOption>): Promise<number> {
  const { folder } = targetOf(call)
  const items = readWatched(folder).map(({ origin, url, policy }) => ({
    origin,
    url,
    keys: policy.logs.map(({ key }) => formatVerifierKey(key)),
    quorum: policy.quorum ?? 'none',
  }))
  const asks = pinnedMonitors(folder)
  const lines = items.flatMap(({ origin, url, keys, quorum }) => [
    `${origin}  at ${url}, quorum ${quorum}`,
    ...keys.map((key) => `  ${key}`),
  ])
  call.screen.print({ ok: true, items, asks }, [
    ...(lines.length > 0 ? lines : ['This home monitors no log. Next: npx ampere monitor add URL']),
    asks
      ? `Records are complete when ${asks.need} of ${asks.origins.join(', ')} say so.`
      : 'No monitor is asked about the records here (monitors.json).',
  ])
  return EXIT.ok
}
