// SPDX-License-Identifier: Apache-2.0
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'

export const role = { name: 'auditor', needs: AUDITOR_NEEDS } as const
