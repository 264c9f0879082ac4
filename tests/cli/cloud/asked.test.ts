// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { writeMirrored, type MirroredEntry } from '#cli/open/mirror.ts'
import { writeWatched } from '#cli/monitor/watched.ts'
import { writeAccepted } from '#cli/witness/accepted.ts'
import { logIdOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { copyOf as mirrorCopy } from '#core/server/mirror/copy-of.ts'
import { noteFailedRuns, noteLastRun } from '#core/server/mirror/last-run.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import { MONITOR_NEEDS } from '#core/server/monitor/needs.ts'
import { keepEvidence } from '#core/server/witness/evidence.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { LOG_ORIGIN, LOG_URL, servedLog, type ServedLog } from '#tests/core/server/monitor/served-log.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { testLog, type TestLog } from '#tests/core/server/witness/test-log.ts'
import { freshFolder, serveProcess, testPort, type Serving } from '../harness.ts'
import { settingsOf } from '../others/operators.ts'
import { told } from '../told.ts'
import { asDeployed, type InCloud } from './in-cloud.ts'

const HOUR_MS = 3_600_000
const served = freshFolder()
let serving: Serving
let home: InCloud
let cosigned: TestLog
let monitored: ServedLog
/** A home that is mirrored, and that nobody reaches. */
let other: MirroredEntry

/** What a witness and a monitor met, and how runs of a mirror ended, in the stores of the home. */
async function prepare(platform: Platform): Promise<void> {
  const tables = { witness: platform.table('witness') }
  const fork = await testLog(1, 2)
  await addLog({ tables }, cosigned.origin, cosigned.keys)
  const notes = { origin: cosigned.origin, cosigned: await cosigned.note(5) }
  await keepEvidence(tables.witness, Date.now(), { kind: 'same-size', ...notes, refused: await fork.note(5) })
  await keepEvidence(tables.witness, Date.now(), { kind: 'unproved', ...notes, refused: await fork.note(7) })
  const ports = { ...(await select(platform, MONITOR_NEEDS)), fetch: monitored.fetch }
  const monitor = { verifiers: createVerifiers(), deadline: () => new AbortController().signal }
  const watched = { origin: LOG_ORIGIN, url: LOG_URL, policy: monitored.policy }
  for (const forkAt of [Number.POSITIVE_INFINITY, 3]) {
    await monitored.grow(7, { forkAt })
    await watchLog(ports, monitor, watched)
  }
  const mirror = { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') }
  const copy = mirrorCopy(
    { tables: mirror, objects: { mirror: platform.objects('mirror') } },
    other.deployment,
  )
  const time = toTimestamp(Date.now() - HOUR_MS)
  await noteLastRun(copy, { v: 1, time, chains: 3, logSize: 40, problems: 0 })
  await noteFailedRuns(copy, { v: 1, since: time, time, code: 'UPSTREAM_FAILED', rule: null })
}

beforeAll(async () => {
  const institutions = ['--institution', 'hospital-a=Hospital A', '--institution', 'hospital-b=Hospital B']
  await told(served, 'init', ...institutions, '--passphrase', 'generated', '--port', testPort(39))
  ;[cosigned, monitored] = [await testLog(1), await servedLog()]
  const { registry, log } = settingsOf(served)
  other = {
    deployment: asDeploymentId('home-9'),
    origin: 'http://127.0.0.1:9',
    registry,
    log: [...log],
    institution: asInstitutionId('hospital-a'),
  }
  const passphrase = readFileSync(join(served, 'passphrase'), 'utf8').trim()
  const platform = openLocal({ folder: join(served, 'home'), passphrase })
  await prepare(platform)
  await platform.close()
  writeMirrored(served, [other])
  serving = await serveProcess(['start', '--data', served])
  home = asDeployed(served, 'prod')
}, 60_000)
afterAll(async () => serving.stop())

describe('a home in a cloud that is asked what it found', () => {
  it('keeps nothing against logs whose keys were not given here', async () => {
    expect(await home.ampere('evidence', 'list')).toMatchObject({ exit: 0, items: [] })
  })

  it('has what its witness and its monitor found made evidence here, and no mere leads', async () => {
    const keys = cosigned.signers.map(({ key }) => key)
    writeAccepted(home.folder, [{ origin: cosigned.origin, keys }])
    writeWatched(home.folder, { origin: LOG_ORIGIN, url: LOG_URL, policy: monitored.policy })
    for (const _ of ['first', 'again']) {
      const listed = await home.ampere('evidence', 'list')
      expect(listed).toMatchObject({ exit: 0, folder: join(home.folder, 'evidence') })
      const items = listed['items'] as { against: string; proves: string }[]
      expect(items.map(({ against }) => against).toSorted()).toEqual([cosigned.origin, LOG_ORIGIN].toSorted())
      for (const { proves } of items) expect(proves).toContain('a split view')
    }
  })

  it('has such a file verified by the keys that were given here for the deployment', async () => {
    const folder = join(home.folder, 'evidence')
    const files = readdirSync(folder).map((name) => join(folder, name))
    expect(files).toHaveLength(2)
    const whose = []
    for (const file of files) {
      const verified = await home.ampere('evidence', 'verify', file)
      expect(verified).toMatchObject({ exit: 0, ok: true })
      whose.push(...(verified['whose'] as string[]))
    }
    expect(whose.toSorted()).toEqual(['a log that is cosigned here', 'a log that is monitored here'])
  })

  it('keeps nothing that it says and its logs did not sign', async () => {
    const lying = asDeployed(served, 'lying')
    // What its witness has was signed by another key than the one that counts here.
    const { key } = await signerOf(cosigned.origin, 'Ed25519', 7)
    writeAccepted(lying.folder, [{ origin: cosigned.origin, keys: [key] }])
    const listed = await lying.ampere('evidence', 'list')
    expect(listed).toMatchObject({ exit: 0, items: [] })
  })

  it('says nothing of logs that nobody named to it', async () => {
    const { origin } = settingsOf(served)
    for (const path of [
      `${WITNESS_PREFIX}/${logIdOf('x')}/contradictions`,
      `/v1/monitored/${logIdOf('x')}/findings`,
    ])
      expect((await fetch(new URL(path, origin))).status).toBe(404)
  })
})

describe('the mirror of a home in a cloud', () => {
  it('is said to its institution: what was copied, and since when its runs fail', async () => {
    writeMirrored(home.folder, [other, { ...other, deployment: asDeploymentId('home-8') }])
    expect(await home.ampere('mirror', 'status')).toMatchObject({
      exit: 1,
      ok: false,
      homes: [
        {
          deployment: 'home-9',
          last: { chains: 3, logSize: 40, problems: 0 },
          failed: { since: expect.any(String) },
          verdict: 'unreached',
        },
        // Written down here, and not deployed yet.
        { deployment: 'home-8', last: null, failed: null, verdict: 'unseen' },
      ],
    })
  })

  it('is said to nobody else: strangers do not learn whose mirror this is', async () => {
    const { origin } = settingsOf(served)
    expect((await fetch(new URL('/v1/copies', origin))).status).toBe(401)
  })
})
