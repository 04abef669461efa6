/** The streaming job as users run it, in a process of its own beside a broker of its own, for minutes. Run by hand: CONTRIBUTING. */
@NullMarked
package io.radixflow.job.endurance;

import org.jspecify.annotations.NullMarked;
