// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId, Digest, InstitutionId } from '../../bytes/ids.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import type { LogKey } from '../../log/note/key.ts'
import type { Policy } from '../../log/policy/definitions.ts'

/** A home that is mirrored, and what is pinned of it. */
export interface MirroredHome {
  readonly deployment: DeploymentId
  readonly origin: string
  readonly registry: Digest
  readonly logKeys: readonly LogKey[]
  /** Who must have cosigned what is kept as witnessed; null where its operator did not say. */
  readonly policy: Policy | null
  /** Where the mirror's own deployment is: as which it states what it holds. */
  readonly own: string
  /** The institution whose mirror this is: chains grant it to hold. */
  readonly institution: InstitutionId
  /** Days until the last backup of this mirror that could still hold an erased key expires; 0 without backups. */
  readonly backupDays: number
  readonly verifiers: Verifiers
}
