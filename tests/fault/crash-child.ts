// SPDX-License-Identifier: Apache-2.0
// Run by kill.test.ts: waits for a line, then opens a durable home and appends to it until it is killed, and
// prints each append after its answer.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { silentLog } from '#functions/host/telemetry.ts'

const [folder = '', run = '', passphrase = ''] = process.argv.slice(2)
const settings = readSettings(folder)
if (!settings) throw new Error('the folder is not set up')
const institution = await openInstitution(folder, 'hospital-a', passphrase)
// Everything that touches the home comes after this: until then the one before may still hold it.
process.stdout.write('loaded\n')
await new Promise<void>((resolve) => {
  process.stdin.once('data', () => resolve())
  process.stdin.once('end', () => process.exit(1))
})
const { fetch } = await openHome(folder, settings, passphrase, silentLog)
const connection = connectInstitution(institution, settings, fetch)
const chain = await knownOrNew(connection, {
  deployment: asDeploymentId(settings.deployment),
  origin: settings.origin,
})
process.stdout.write('ready\n')
for (let i = 0; ; i++) {
  const text = `${run}-${i}`
  await connection.append(chain, [{ header: utf8('{}'), content: utf8(text), compartment: 'general' }])
  process.stdout.write(`${text}\n`)
}

async function knownOrNew(to: Connection, home: Parameters<typeof createRecord>[1]): Promise<ChainId> {
  const file = join(folder, 'chain.txt')
  if (existsSync(file)) return readFileSync(file, 'utf8') as ChainId
  const { record } = await createRecord(to, home, ['general'])
  // Whole or not at all: this process may be killed while it writes.
  writeFileSync(`${file}.new`, record)
  renameSync(`${file}.new`, file)
  return record
}
