using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Kv.Chaos;
using Kv.Chaos.Faults;
using Kv.Chaos.Machines;

if (args.Contains("--help"))
{
    Console.WriteLine(ChaosOptions.Help);
    Console.WriteLine($"  kinds of faults: {string.Join(", ", Enum.GetNames<FaultKind>())}");
    return 0;
}

ChaosOptions options;
List<FaultKind> kinds;
try
{
    options = ChaosOptions.Parse(args, RandomNumberGenerator.GetInt32(1_000_000));
    kinds = [.. Enum.GetValues<FaultKind>().Where(kind => kind != FaultKind.Scale || options.Spare > 0)];
    if (options.Only.Count > 0)
    {
        kinds = [.. options.Only.Select(Enum.Parse<FaultKind>)];
    }
}
catch (ArgumentException problem)
{
    Console.Error.WriteLine($"chaos: {problem.Message}");
    return 2;
}

foreach (var program in new[] { options.NodeBinary, options.KvBinary })
{
    if (!File.Exists(program))
    {
        Console.Error.WriteLine($"chaos: {program} is not there: make build makes it");
        return 2;
    }
}

if (kinds.Contains(FaultKind.ClockJump) && !NodeClock.IsAvailable)
{
    Console.Error.WriteLine($"chaos: clocks cannot jump without libfaketime: apt-get install libfaketime, or leave {nameof(FaultKind.ClockJump)} out with --only");
    return 2;
}

Console.WriteLine($"chaos: seed {options.Seed} (make chaos SEED={options.Seed} draws the same faults); report in {options.Report}");
using var stopping = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = !stopping.IsCancellationRequested;
    stopping.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var verdicts = await new ChaosRun(options, kinds).RunAsync(stopping.Token);
Console.WriteLine($"{verdicts.Count(verdict => verdict.IsKept)} passed, {verdicts.Count(verdict => !verdict.IsKept)} failed");
return verdicts.All(verdict => verdict.IsKept) ? 0 : 1;
