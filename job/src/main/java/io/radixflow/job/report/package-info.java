/** What a bench found out: the result file, its text and its page with plots, and the comparison with other results. */
@NullMarked
package io.radixflow.job.report;

import org.jspecify.annotations.NullMarked;
