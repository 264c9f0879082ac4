// SPDX-License-Identifier: Apache-2.0
import { ENROLMENT_NEEDS } from '#core/server/enrolment/rows.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { STANDING_NEEDS } from '#core/server/standing/standing.ts'

export const role = {
  name: 'registrar',
  needs: {
    ...REGISTRAR_NEEDS,
    tables: { ...STANDING_NEEDS.tables, ...ENROLMENT_NEEDS.tables, ...REGISTRAR_NEEDS.tables },
  },
} as const
