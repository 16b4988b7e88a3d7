using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>Small pages and hardly any memory: nearly every read goes to the disk.</summary>
public sealed class FasterStoreContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() => TestEngine.Open(TestEngine.Options(directory.Path));

    private protected override void CleanUp() => directory.Dispose();
}
