// SPDX-License-Identifier: Apache-2.0
import { LOG_PREFIX } from '#core/api/log.ts'
import { targetOf } from '../../cloud/target.ts'
import { evidenceFiles } from '../../evidence/files.ts'
import { keepMonitored } from '../../evidence/monitor.ts'
import { isWatched, readWatched, removeWatched } from '../../monitor/watched.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { noneSuch } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { confirmAct } from '../../witness/confirm-keys.ts'

interface RemoveOptions extends CloudOption {
  readonly yes?: boolean
}

/** Ends that this home monitors a log. What was copied of it stays. */
export async function removeMonitored(call: Call<RemoveOptions>): Promise<number> {
  const target = targetOf(call)
  const { folder } = target
  const inCloud = target.effective === 'next-deploy'
  const { screen, options } = call
  const origin = originOf(call.args[0] ?? '')
  const shown = plain(origin)
  if (!isWatched(folder, origin)) {
    const known = readWatched(folder).map((each) => each.origin)
    throw noneSuch(origin, 'is not monitored here', known, 'npx ampere monitor list')
  }
  const says = [
    `Readers who ask this home are then told of ${shown} as it was last seen, and of nothing newer.`,
  ]
  await confirmAct(screen, says, options.yes)
  // Its keys go with it, and without them nobody could make files of what was found.
  if (!inCloud) await keepMonitored(folder, evidenceFiles(folder))
  removeWatched(folder, origin)
  screen.print({ ok: true, changed: true, origin, effective: inCloud ? target.effective : 'now' }, [
    inCloud
      ? `${shown} is not among what is monitored any more. ${target.next}`
      : `${shown} is monitored no more, also in a server that runs.`,
    'What was copied is kept: lookups are answered as of then, and adding it again goes on from there,',
    'or begins anew where it had stopped at what speaks against the log.',
    ...(inCloud ? [] : ['Proofs are kept in evidence/.']),
  ])
  return EXIT.ok
}

/** The name of a log, from that name, its URL, or that of its home. */
function originOf(text: string): string {
  const name = text.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  return name.includes('/') ? name : `${name}${LOG_PREFIX}`
}
