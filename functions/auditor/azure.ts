// SPDX-License-Identifier: Apache-2.0
import { openAlone } from '../host/cloud/alone.ts'
import { onAzure } from '../host/cloud/azure.ts'
import { openAuditing } from './alone.ts'
import { answering } from './answering.ts'

onAzure(
  'auditor',
  { answers: (alone) => openAlone(alone, answering), wakes: openAuditing },
  { schedule: '0 7 * * * *' },
)
