// SPDX-License-Identifier: Apache-2.0
import { openAzure } from '#adapters/azure/open.ts'
import type { AzureNaming } from '#adapters/azure/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'

/** What a role does, in a process of its own: it must say nothing of it, and end when the platform is closed. */
const { naming, emulator } = JSON.parse(process.argv[2] ?? '{}') as {
  naming: AzureNaming
  emulator: { cosmosKey: string; blobAccount: string; blobKey: string }
}
const platform = openAzure({ naming, emulator, credential: { getToken: async () => null } })
await platform.table('blocks').insert('quiet', 'k', utf8('v'))
await platform.table('blocks').insert('quiet', 'k', utf8('v'))
await platform.table('blocks').range('quiet')
await platform.objects('entries').store('quiet', utf8('v'))
await platform.objects('entries').store('quiet', utf8('v'))
await platform.objects('entries').fetch('not-there')
const failed = await platform.signer('instance').catch(() => 'failed')
await platform.close()
process.stdout.write(failed === 'failed' ? 'done' : 'the vault was there')
