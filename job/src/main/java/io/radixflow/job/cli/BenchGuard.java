package io.radixflow.job.cli;

import io.radixflow.bench.Round;
import io.radixflow.bench.WorkloadItem;
import io.radixflow.job.UserException;
import io.radixflow.job.report.BenchReport;
import io.radixflow.job.report.ReportFile;
import io.radixflow.job.report.Slowdowns;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The results that {@code bench --against} names. Other engines' are only set beside; ours judge the run: whether something got slower. Ours of
 * another model, device or workload say nothing about that, which is told, and refused if a tolerance was asked for.
 */
final class BenchGuard {

    static final String ENGINE = "Radixflow";
    private static final double DEFAULT_TOLERANCE = 0.03;

    private final List<Path> files;
    private final List<BenchReport> results;
    private final @Nullable Double tolerance;

    /**
     * @param tolerance as asked for, or null
     * @throws UserException if a file can't be read or the tolerance is none
     */
    BenchGuard(List<Path> files, @Nullable Double tolerance) {
        this.files = List.copyOf(files);
        this.tolerance = tolerance;
        if (tolerance != null && !(tolerance >= 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new UserException("--tolerance takes a share of 0 or more, such as 0.03 for 3 %, got " + tolerance);
        }
        results = files.stream().map(ReportFile::read).toList();
        if (tolerance != null && results.stream().noneMatch(BenchGuard::isOurs)) {
            throw new UserException("--tolerance needs a result file of " + ENGINE
                    + " to judge by; give one that bench wrote with --against FILE");
        }
    }

    /** All of them, to set beside. */
    List<BenchReport> results() {
        return results;
    }

    private static boolean isOurs(BenchReport result) {
        return result.engine().name().equals(ENGINE);
    }

    /**
     * Before anything runs, if a tolerance was asked for.
     *
     * @throws UserException if one of our results can't judge the run, naming the field that differs
     */
    void check(BenchReport.Subject engine, String workload, List<WorkloadItem> items) {
        for (int i = 0; tolerance != null && i < files.size(); i++) {
            BenchReport kept = results.get(i);
            String mismatch = isOurs(kept) ? Slowdowns.mismatch(engine, workload, kept) : null;
            if (mismatch != null) {
                throw new UserException("--tolerance can't judge by " + files.get(i) + ": " + mismatch
                        + "; keep a result of this model, device and workload, or leave --tolerance out");
            }
            boolean hasItem = items.stream()
                    .flatMap(item -> item.rounds().apply(0).stream())
                    .filter(Round::isMeasured)
                    .anyMatch(round -> kept.item(round.name()) != null);
            if (isOurs(kept) && !hasItem) {
                throw new UserException("--tolerance can't judge by " + files.get(i)
                        + ": its 'items' has none of those to run; it has "
                        + String.join(
                                ", ",
                                kept.items().stream()
                                        .map(BenchReport.Item::name)
                                        .toList())
                        + "; choose some of them with --items");
            }
        }
    }

    /** Prints what got slower; returns whether that is more than is tolerated. */
    boolean judge(BenchReport report, Terminal terminal) {
        List<String> lines = new ArrayList<>();
        boolean isSlower = false;
        for (int i = 0; i < files.size(); i++) {
            BenchReport kept = results.get(i);
            if (!isOurs(kept)) {
                continue;
            }
            lines.add("");
            String mismatch = Slowdowns.mismatch(report.engine(), report.workload(), kept);
            if (mismatch == null) {
                Slowdowns slowdowns = Slowdowns.of(report, kept, tolerance == null ? DEFAULT_TOLERANCE : tolerance);
                lines.addAll(slowdowns.lines(files.get(i).toString()));
                isSlower |= slowdowns.isBeyondTolerance();
            } else {
                lines.add("Not judged by " + files.get(i) + ": " + mismatch);
            }
        }
        lines.forEach(terminal::line);
        return isSlower;
    }
}
