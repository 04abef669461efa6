package io.radixflow.bench;

import io.radixflow.bench.WorkloadItem.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The workloads of a file as items: W1 decode, W2 prefill, W3 labelling behind shared prefixes, W4 mixed chat, W5 conversations, W6 a tree of
 * prefixes. Requests are a pure function of stream names ({@link TokenStream}), so that figures of other engines on the same file compare.
 */
public final class Workloads {

    private final WorkloadSpec spec;

    Workloads(WorkloadSpec spec) {
        this.spec = spec;
    }

    /** Token ids are in {@code [0, maxTokenId()]}. */
    public int maxTokenId() {
        return spec.highToken() - 1;
    }

    /** All items that the file has, in order. */
    public List<WorkloadItem> items() {
        List<WorkloadItem> items = new ArrayList<>();
        WorkloadSpec.W1 w1 = spec.w1();
        if (w1 != null) {
            for (int batch : w1.batches()) {
                items.add(new WorkloadItem("w1-b" + batch, spec.greedy(), repeat -> decode(w1, repeat, batch, "")));
            }
            for (int batch : w1.batches()) {
                String name = "w1-b" + batch + "-sampled";
                items.add(new WorkloadItem(name, spec.sampled(), repeat -> decode(w1, repeat, batch, "-sampled")));
            }
        }
        WorkloadSpec.W2 w2 = spec.w2();
        if (w2 != null) {
            for (int i = 0; i < w2.cases().size(); i++) {
                int which = i;
                WorkloadSpec.PrefillCase prefill = w2.cases().get(i);
                String name = "w2-" + prefill.requests() + "x" + prefill.promptLen();
                items.add(single(
                        name, "prefill " + name.substring(3), spec.greedy(), repeat -> prefill(w2, repeat, which)));
            }
        }
        addShared(items);
        return items;
    }

    private void addShared(List<WorkloadItem> items) {
        WorkloadSpec.W3 w3 = spec.w3();
        if (w3 != null) {
            items.add(single("w3", "labelling, shared prefixes", spec.greedy(), repeat -> labelling(w3, repeat)));
        }
        WorkloadSpec.W4 w4 = spec.w4();
        if (w4 != null) {
            items.add(single("w4", "mixed chat", spec.greedy(), repeat -> chat(w4, repeat)));
            items.add(single("w4-sampled", "mixed chat, sampled", spec.sampled(), repeat -> chat(w4, repeat)));
        }
        WorkloadSpec.W5 w5 = spec.w5();
        if (w5 != null) {
            items.add(new WorkloadItem(
                    "w5",
                    spec.greedy(),
                    repeat -> List.of(new Round("w5", "W5 conversations", true, conversations(w5, repeat)))));
        }
        WorkloadSpec.W6 w6 = spec.w6();
        if (w6 != null) {
            items.add(single("w6", "tree of prefixes", spec.greedy(), repeat -> tree(w6, repeat)));
        }
    }

    /** Makes the requests of a repeat. */
    private interface Requests {
        List<Turn> make(int repeat);
    }

    private static WorkloadItem single(String name, String what, Sampling sampling, Requests requests) {
        String title = "W" + name.charAt(1) + " " + what;
        return new WorkloadItem(
                name, sampling, repeat -> List.of(new Round(name, title, true, alone(requests.make(repeat)))));
    }

    /** Each request as a conversation of its own. */
    private static List<List<Turn>> alone(List<Turn> requests) {
        List<List<Turn>> conversations = new ArrayList<>(requests.size());
        for (Turn request : requests) {
            conversations.add(List.of(request));
        }
        return conversations;
    }

    /** The batch twice: cold, then with its prompts cached, where all requests soon decode together. Sampled, only the second counts. */
    private List<Round> decode(WorkloadSpec.W1 w1, int repeat, int batch, String suffix) {
        List<List<Turn>> batchOfOne = alone(decodeBatch(w1, repeat, batch));
        String title = "W1 decode, batch " + batch + suffix.replace("-", ", ");
        String name = "w1-b" + batch + suffix;
        return List.of(
                new Round(name + "-cold", title + ", cold", suffix.isEmpty(), batchOfOne),
                new Round(name + "-steady", title + ", steady", true, batchOfOne));
    }

    List<Turn> decodeBatch(WorkloadSpec.W1 w1, int repeat, int batch) {
        List<Turn> requests = new ArrayList<>(batch);
        for (int i = 0; i < batch; i++) {
            requests.add(new Turn(tokens("W1/rep" + repeat + "/b" + batch + "/" + i, w1.promptLen()), w1.outputLen()));
        }
        return requests;
    }

    List<Turn> prefill(WorkloadSpec.W2 w2, int repeat, int which) {
        WorkloadSpec.PrefillCase prefill = w2.cases().get(which);
        List<Turn> requests = new ArrayList<>(prefill.requests());
        for (int i = 0; i < prefill.requests(); i++) {
            String name = "W2/rep" + repeat + "/case" + which + "/" + i;
            requests.add(new Turn(tokens(name, prefill.promptLen()), w2.outputLen()));
        }
        return requests;
    }

    List<Turn> labelling(WorkloadSpec.W3 w3, int repeat) {
        int[][] prefixes = new int[w3.groups()][];
        for (int g = 0; g < prefixes.length; g++) {
            prefixes[g] = tokens("W3/rep" + repeat + "/prefix/" + g, w3.prefixLen());
        }
        List<Turn> requests = new ArrayList<>(w3.requests());
        for (int i : new TokenStream("W3/rep" + repeat + "/order").shuffled(w3.requests())) {
            int[] suffix = tokens("W3/rep" + repeat + "/suffix/" + i, w3.suffixLen());
            requests.add(new Turn(joined(prefixes[i % prefixes.length], suffix), w3.outputLen()));
        }
        return requests;
    }

    List<Turn> chat(WorkloadSpec.W4 w4, int repeat) {
        List<Turn> requests = new ArrayList<>(w4.promptLens().length);
        for (int i = 0; i < w4.promptLens().length; i++) {
            requests.add(new Turn(tokens("W4/rep" + repeat + "/" + i, w4.promptLens()[i]), w4.outputLens()[i]));
        }
        return requests;
    }

    List<List<Turn>> conversations(WorkloadSpec.W5 w5, int repeat) {
        List<List<Turn>> conversations = new ArrayList<>(w5.conversations());
        for (int c = 0; c < w5.conversations(); c++) {
            List<Turn> turns = new ArrayList<>(w5.turns());
            for (int t = 0; t < w5.turns(); t++) {
                turns.add(new Turn(tokens("W5/rep" + repeat + "/" + c + "/" + t, w5.userLen()), w5.outputLen()));
            }
            conversations.add(List.copyOf(turns));
        }
        return conversations;
    }

    List<Turn> tree(WorkloadSpec.W6 w6, int repeat) {
        int[][] prefixes = new int[w6.groups()][];
        for (int g = 0; g < prefixes.length; g++) {
            int[] root = tokens("W6/rep" + repeat + "/root/" + g % w6.roots(), w6.rootLen());
            prefixes[g] = joined(root, tokens("W6/rep" + repeat + "/group/" + g, w6.groupLen()));
        }
        int numRequests = w6.groups() * w6.perGroup();
        List<Turn> requests = new ArrayList<>(numRequests);
        for (int i : new TokenStream("W6/rep" + repeat + "/order").shuffled(numRequests)) {
            int[] suffix = tokens("W6/rep" + repeat + "/suffix/" + i, w6.suffixLen());
            requests.add(new Turn(joined(prefixes[i % prefixes.length], suffix), w6.outputLen()));
        }
        return requests;
    }

    int[] tokens(String name, int num) {
        return new TokenStream(name).tokens(num, spec.lowToken(), spec.highToken());
    }

    private static int[] joined(int[] first, int[] second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
