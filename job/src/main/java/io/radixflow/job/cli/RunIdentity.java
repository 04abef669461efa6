package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.pipeline.LabelPlan;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint depends on: input files as they were, options, version. A run goes on from another's checkpoint only if all of
 * this is equal.
 *
 * @param facts by the flag or file that they belong to
 */
record RunIdentity(TreeMap<String, String> facts) {

    static RunIdentity of(LabelPlan plan, LabelInputs inputs, EngineConfig engine) throws IOException {
        TreeMap<String, String> facts = new TreeMap<>();
        facts.put("version", Version.number());
        for (Path file : inputs.files()) {
            facts.put(
                    "the file " + file.toAbsolutePath().normalize(),
                    Files.size(file) + " bytes of " + Files.getLastModifiedTime(file));
        }
        facts.put("--input-format and --csv-delimiter", plan.input().toString());
        facts.put("--prompt-column", String.valueOf(plan.requests().promptColumn()));
        facts.put("--prompt-template", String.valueOf(plan.requests().promptTemplate()));
        facts.put("--id-column", String.valueOf(plan.requests().idColumn()));
        facts.put("--defaults", String.valueOf(plan.requests().defaults()));
        facts.put("--output-format", plan.outputFormat().toString());
        facts.put("--output-columns", plan.carried().toString());
        engine.asMap().forEach((option, text) -> facts.put("--" + option, text));
        return new RunIdentity(facts);
    }

    /** What is not equal, or null. */
    @Nullable
    String difference(RunIdentity other) {
        TreeMap<String, String> all = new TreeMap<>(facts);
        all.putAll(other.facts);
        for (String fact : all.keySet()) {
            String mine = facts.get(fact);
            if (mine == null || !mine.equals(other.facts.get(fact))) {
                return fact;
            }
        }
        return null;
    }

    static RunIdentity read(Path file) throws IOException {
        Properties properties = new Properties();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            properties.load(in);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is broken", e);
        }
        TreeMap<String, String> facts = new TreeMap<>();
        properties.stringPropertyNames().forEach(name -> facts.put(name, properties.getProperty(name)));
        return new RunIdentity(facts);
    }

    void write(Path file) throws IOException {
        Properties properties = new Properties();
        properties.putAll(facts);
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            properties.store(out, null);
        }
    }
}
