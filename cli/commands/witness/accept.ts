// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { formatVerifierKey, isSameKey } from '#core/log/note/key.ts'
import { addLog, listLogs, removeLog } from '#core/server/witness/logs.ts'
import { loadLog, logIdOf } from '#core/server/witness/log-row.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { noneSuch, refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { evidenceFiles } from '../../evidence/files.ts'
import { keepWitnessed } from '../../evidence/witness.ts'
import { checkConfirmed, confirmKeys, type KeyOptions } from '../../witness/confirm-keys.ts'
import {
  fetchKeys,
  fingerprintOf,
  givenKeys,
  readKeysFile,
  type PublishedKeys,
} from '../../witness/published-keys.ts'
import { withStoredLog, type StoredLog } from '../../witness/look/stored-log.ts'
import { acceptInCloud, stopInCloud } from './accept-cloud.ts'
import { checkSources, urlOf } from './add.ts'

export interface AcceptOptions extends CloudOption, KeyOptions {
  readonly stop?: string
}

/** Lets this home's witness cosign another home's log, or with --stop no longer. */
export async function acceptLog(call: Call<AcceptOptions>): Promise<number> {
  const { options, screen } = call
  if (options.stop !== undefined) return stopLog(call, options.stop)
  const url = urlOf(call.args[0])
  checkSources(options, url)
  const { log, isFetched } = await keysOf(options, url)
  if (options.cloud !== undefined) return acceptInCloud(call, { log, isFetched })
  return withStoredLog(call, async (stored) => {
    if (log.name === logOriginOf(stored.settings.origin))
      throw refuse('CONFIGURATION', 'that is the log of this very home, and nobody witnesses for oneself')
    const known = (await loadLog(stored.platform.table('witness'), logIdOf(log.name)))?.log.keys ?? []
    const isKnown =
      known.length === log.keys.length &&
      log.keys.every((key) => known.some((other) => isSameKey(key, other)))
    checkConfirmed(options.confirm, log.keys)
    if (!isKnown) {
      if (known.length > 0) screen.say('It is cosigned here under other keys; from now on only under these:')
      if (isFetched || known.length > 0) await confirmKeys(screen, options, log)
      await addLog(tablesOf(stored), log.name, log.keys.map(formatVerifierKey))
    }
    const json = { ok: true, changed: !isKnown, log: log.name, fingerprint: fingerprintOf(log.keys) }
    const shown = plain(log.name)
    screen.print(
      { ...json, effective: 'now' },
      isKnown
        ? [`${shown} is cosigned here already. Nothing was changed.`]
        : [
            `This home's witness cosigns ${shown} from now on, also in a server that runs.`,
            `Undo  npx ampere witness accept --stop ${shown}`,
          ],
    )
    return EXIT.ok
  })
}

async function stopLog(call: Call<AcceptOptions>, origin: string): Promise<number> {
  if (call.args[0] !== undefined) throw usage('--stop names the log, and takes no URL')
  if (call.options.cloud !== undefined) return stopInCloud(call, origin)
  // Its keys go with it, and without them nobody could make files of what is kept against it.
  const { folder } = deploymentOf(call)
  await keepWitnessed(folder, evidenceFiles(folder))
  return withStoredLog(call, async (stored) => {
    const known = (await listLogs(tablesOf(stored))).map((log) => log.origin)
    if (!known.includes(origin))
      throw noneSuch(origin, 'is not cosigned here', known, 'npx ampere witness list')
    await removeLog(tablesOf(stored), origin)
    const json = { ok: true, changed: true, log: origin, fingerprint: null, effective: 'now' }
    call.screen.print(json, [
      `${plain(origin)} is not cosigned here any more. What was cosigned is kept: it cannot begin anew.`,
    ])
    return EXIT.ok
  })
}

function tablesOf({ platform }: StoredLog) {
  return { tables: { witness: platform.table('witness') } }
}

async function keysOf(
  { key, keys }: AcceptOptions,
  url: string | null,
): Promise<{ readonly log: PublishedKeys; readonly isFetched: boolean }> {
  if (key !== undefined) return { log: givenKeys(key, null), isFetched: false }
  const isFetched = keys === undefined
  const { log } =
    keys === undefined ? await fetchKeys((request) => fetch(request), url ?? '') : readKeysFile(keys)
  if (!log) throw refuse('CONFIGURATION', 'there are no keys of a log in that file')
  return { log, isFetched }
}
