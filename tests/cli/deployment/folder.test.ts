// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evidenceFiles } from '#cli/evidence/files.ts'
import { writeMirrored } from '#cli/open/mirror.ts'
import { formatVerifierKey, logKey, parseVerifierKey } from '#core/log/note/key.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { settingsOf } from '../others/operators.ts'
import { freshFolder, serveProcess, testPort } from '../harness.ts'
import { told } from '../told.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** What an account with a keychain has, what deployments to clouds have, and what a restore leaves. */
const NOT_HERE = ['keychain-id', 'members.json', 'cloud/', 'home.restoring/', 'home.lost-*/']
const folder = freshFolder()

/** A demo with its witness, killed while it served, that also monitors, mirrors, asks monitors and has evidence. */
beforeAll(async () => {
  const args = ['start', '--demo', '--data', folder, '--port', testPort(60)]
  const serving = await serveProcess(args)
  const { registry, log, deployment, origin } = settingsOf(folder)
  const key = (readFileSync(join(folder, 'policy.txt'), 'utf8').match(/^log (\S+)/m) ?? [])[1] ?? ''
  const other = formatVerifierKey(logKey('127.0.0.1:9/log', 'Ed25519', parseVerifierKey(key).publicKey))
  const monitored = await told(folder, 'monitor', 'add', 'http://127.0.0.1:9/log', '--key', other)
  expect(monitored).toMatchObject({ exit: 0 })
  await serving.kill()
  const institution = asInstitutionId('hospital-a')
  writeMirrored(folder, [
    { deployment: asDeploymentId(deployment), origin, registry, log: [...log], institution },
  ])
  writeFileSync(join(folder, 'monitors.json'), '{"origins": ["https://st-mary.example"], "need": 1}\n')
  const vector = join(ROOT, 'tests/vectors/ampere/evidence/heads-fork.ampere-evidence')
  await evidenceFiles(folder)(readFileSync(vector))
}, 90_000)

/** The paths that docs/OPERATIONS.md, "Back up", names. */
function documented(): readonly string[] {
  const manual = readFileSync(join(ROOT, 'docs/OPERATIONS.md'), 'utf8')
  const [, section = ''] = manual.split('\n## Back up\n')
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'))
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? ''),
  )
}

/** `ID` and `*` stand for a name, and a folder for all that is in it. */
function matches(path: string, file: string): boolean {
  const source = path
    .replaceAll('.', '\\.')
    .replaceAll('*', '[^/]*')
    .replace('/ID/', '/[^/]+/')
    .replace(/\/$/, '/.*')
  return new RegExp(`^${source}$`).test(file)
}

describe('the list of what to back up', () => {
  it('names every file of a used deployment, and nothing that none has', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    const paths = documented()
    expect(files.filter((file) => !paths.some((path) => matches(path, file)))).toEqual([])
    const unused = paths.filter((path) => !files.some((file) => matches(path, file)))
    expect(unused.toSorted()).toEqual(NOT_HERE.toSorted())
  })
})
