using System.Globalization;
using Kv.Fuzz.Running;
using Kv.Fuzz.Targets;

namespace Kv.Fuzz;

/// <summary>The program: runs targets one after another, or one input. Its last line is `N passed, N failed`, targets each.</summary>
internal static class FuzzCommand
{
    public static int Run(string[] arguments)
    {
        if (!FuzzOptions.TryParse(arguments, out var options, out var problem))
        {
            return Usage(problem);
        }

        var all = AllTargets.Create();
        var chosen = all.Where(target => options.Targets.Count == 0 || options.Targets.Contains(target.Name)).ToList();
        var unknown = options.Targets.Except(all.Select(target => target.Name)).ToList();
        return unknown.Count > 0 ? Usage($"there is no target {string.Join(", ", unknown)}")
            : options.Input is { } path ? RunInput(chosen, path)
            : RunAll(chosen, options);
    }

    private static int RunAll(List<FuzzTarget> targets, FuzzOptions options)
    {
        Say($"seed {options.Seed}");
        var passed = 0;
        foreach (var target in targets)
        {
            using var watch = new HangWatch(input =>
            {
                Report(options, target.Name, input, $"is not done with within {HangWatch.Longest.TotalSeconds} s");
                End(passed, targets.Count - passed);
                Environment.Exit(1);
            });
            using (target)
            {
                var verdict = new FuzzRun(target, options.Seed, watch).For(options.Time / targets.Count);
                Say($"{verdict.Target}: {verdict.Inputs} inputs in {verdict.Time.TotalSeconds:0.0} s, {verdict.Kept} kept, {verdict.Pairs} pairs of branches");
                passed += verdict.Failure is null ? 1 : 0;
                if (verdict.Failure is not null)
                {
                    Report(options, target.Name, verdict.Input!, verdict.Failure);
                }
            }
        }

        return End(passed, targets.Count - passed);
    }

    private static int RunInput(List<FuzzTarget> targets, string path)
    {
        var input = File.ReadAllBytes(path);
        var failed = 0;
        foreach (var target in targets)
        {
            using (target)
            {
                var failure = new InputTrial(target).Try(input);
                Say($"{target.Name}: {failure ?? "all is well"}");
                failed += failure is null ? 0 : 1;
            }
        }

        return End(targets.Count - failed, failed);
    }

    private static void Report(FuzzOptions options, string target, byte[] input, string failure)
    {
        var path = FailedInputs.Save(options.Directory, target, input);
        Say($"{target}: FAILED: {failure}");
        Say($"  input: {Convert.ToHexStringLower(input)}");
        Say($"  again: make fuzz TARGET={target} INPUT={path}   (mended, it belongs in tests/Kv.Fuzz/Failed)");
    }

    private static int End(int passed, int failed)
    {
        Say($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static int Usage(string problem)
    {
        Console.Error.WriteLine($"""
            {problem}
            Kv.Fuzz all|TARGET... [--seconds N] [--seed N] [--save DIRECTORY]    inputs until the time, of all targets together, is over
            Kv.Fuzz TARGET --input FILE                                          one input
            targets: {string.Join(' ', AllTargets.Create().Select(target => target.Name))}
            """);
        return 2;
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
