import { ref } from 'vue'

/** The slug of the organization that was looked at last: where the way back from one's own account leads. */
export const lastOrganization = ref<string>()
