namespace Kv.Storage.Files;

/// <summary>How a file is opened.</summary>
public enum FileOpening
{
    /// <summary>Made new for reading and writing; one that is there is emptied.</summary>
    Create,

    /// <summary>There already, for reading and writing.</summary>
    Existing,

    /// <summary>For reading and writing; made where it is missing.</summary>
    ExistingOrCreate,
}
