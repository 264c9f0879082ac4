// SPDX-License-Identifier: Apache-2.0
// Run by kill.test.ts: appends to a durable home until it is killed, and prints each append after its answer.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { silentLog } from '#functions/host/telemetry.ts'

const [folder = '', run = '', passphrase = ''] = process.argv.slice(2)
const settings = readSettings(folder)
if (!settings) throw new Error('the folder is not set up')
const { fetch } = await openHome(folder, settings, passphrase, silentLog)
const institution = await openInstitution(folder, 'hospital-a', passphrase)
const connection = connectInstitution(institution, settings, fetch)
const file = join(folder, 'chain.txt')
let chain: ChainId
try {
  chain = readFileSync(file, 'utf8') as ChainId
} catch {
  chain = (
    await createRecord(
      connection,
      { deployment: asDeploymentId(settings.deployment), origin: settings.origin },
      ['general'],
    )
  ).record
  writeFileSync(file, chain)
}
process.stdout.write('ready\n')
for (let i = 0; ; i++) {
  const text = `${run}-${i}`
  await connection.append(chain, [{ header: utf8('{}'), content: utf8(text), compartment: 'general' }])
  process.stdout.write(`${text}\n`)
}
