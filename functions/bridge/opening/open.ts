// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import type { Digest, InstitutionId } from '#core/bytes/ids.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { tableSeen } from '#core/bridge/store/seen.ts'
import { connect } from '#core/client/connect.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Ports } from '#core/ports/needs.ts'
import { assembleBridge, type AssembledBridge, type Definitions } from './assemble.ts'
import { evidenceTable } from './evidence.ts'
import type { role } from '../role.ts'

/** An institution's bridge, as it is told what it is. Nothing in it is secret. */
export interface BridgeIdentity {
  readonly institution: InstitutionId
  /** The home that it uses, and what it judges that home by. */
  readonly home: Home & { readonly registry: Digest; readonly policy: Policy }
  /** The institution's secrets, each as only the deployment's key `sealing` unwraps it. */
  readonly seeds: { readonly sealing: Uint8Array; readonly index: Uint8Array }
  /** How long backups of its table are kept, in days. */
  readonly backupDays: number
}

/**
 * Opens an institution's bridge from the ports of its role alone: its secrets are unwrapped into memory, and what it saw of the home and
 * holds against it is in its own stores, so that any process of it goes on where another ended.
 * @throws AmpereError OPEN_FAILED for secrets that were wrapped for another deployment, KEY_UNAVAILABLE
 */
export async function openBridge(
  ports: Ports<(typeof role)['needs']>,
  { institution, home, seeds, backupDays }: BridgeIdentity,
  definitions: Definitions,
): Promise<AssembledBridge> {
  const { now, random, fetch, tables, keys } = ports
  const [indexSecret, sealingSeed] = await Promise.all([
    keys.sealing.unwrap(seeds.index),
    keys.sealing.unwrap(seeds.sealing),
  ])
  const { deployment, origin, registry, policy } = home
  const connection = connect({
    fetch,
    now,
    random,
    identity: {
      reader: institution,
      institution,
      signer: keys.bridge,
      sealingSeed: async () => sealingSeed,
    },
    pins: { registry, origin, policy, monitors: null },
    seen: tableSeen(tables.bridge, createSealedRows(indexSecret, random)),
    evidence: evidenceTable(tables.bridge),
  })
  return assembleBridge({
    connection,
    home: { deployment, origin },
    table: tables.bridge,
    indexSecret,
    source: institution,
    backupDays,
    ...definitions,
  })
}
