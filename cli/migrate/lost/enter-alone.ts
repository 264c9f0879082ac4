// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId } from '#core/bytes/ids.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { buildChange, keyRecord } from '#core/registry/build.ts'
import { getRecord } from '#core/registry/state.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { copyRegistry } from '#core/server/copy/copy-chain.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { Home } from '#core/server/home.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { createRegistryHistory } from '#core/registry/history.ts'
import { rootSigner, type Institution } from '../../open/institution.ts'

/** Whose home it is, and whose root keys are here. */
export interface Members {
  readonly owner: Institution
  readonly institutions: readonly Institution[]
}

/**
 * Enters the new home in the registry and moves the registry to it with one block, which the new home alone is given: the old
 * one is gone. Then both have it, so that they can be compared. Safe to repeat.
 * @throws AmpereError VIOLATION (majority) where others have to approve
 */
export async function enterAlone(
  gone: Platform,
  platform: Platform,
  home: Home,
  { owner, institutions }: Members,
): Promise<void> {
  const ports = await select(platform, RESTORE_NEEDS)
  const { registry, verifiers, deployment, origin } = home
  await copyRegistry(
    storedSource(await select(gone, BACKUP_NEEDS)),
    ports,
    createRegistryHistory(registry.pinned, verifiers),
  )
  const history = await registry.refresh()
  const link = history.link()
  const rules = link && getRecord(link.state, 'rules')
  if (!link || rules?.kind !== 'rules') throw new RangeError('a registry has rules')
  if (rules.home !== deployment) {
    const head = ports.keys.head
    const record = {
      v: 1,
      kind: 'deployment',
      id: asDeploymentId(deployment),
      institution: owner.id,
      origin,
      kid: head.kid,
    } as const
    const compact = await buildChange(
      platform,
      link,
      [
        { act: 'deploy', deployment: record, key: keyRecord(head.publicKey, 'head', { deployment }) },
        { act: 'rules', rules: { ...rules, home: deployment } },
      ],
      await rootSigner(owner),
      await Promise.all(institutions.map(rootSigner)),
    )
    await addRegistryBlock(await select(platform, REGISTRAR_NEEDS), home, compact)
  }
  await copyRegistry(
    storedSource(await select(platform, BACKUP_NEEDS)),
    await select(gone, RESTORE_NEEDS),
    createRegistryHistory(registry.pinned, verifiers),
  )
  await registry.refresh()
}
